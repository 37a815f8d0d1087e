using System.Runtime.CompilerServices;
using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>
/// Without gradients a network hands back what it made on its way, and nothing that somebody may look at.
/// </summary>
public class IntermediatesTests
{
    private readonly Generator random = new(1);

    // Of those with torchvision's names the small ones, of each kind.
    public static TheoryData<string> Networks =>
    [
        .. ModelZoo.All.Select(entry => entry.Name).TakeWhile(name => name != "resnet18"), "squeezenet1_1",
        "shufflenet_v2_x0_5", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0",
    ];

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_network_leaves_its_result_alone(string name)
    {
        var channels = name == "lenet5" ? 1 : 3;
        var size = name == "lenet5" ? 28 : 32;
        var model = ModelZoo.All.Single(entry => entry.Name == name).Create(channels, 10, random, null).Eval();
        var x = Tensor.Randn([4, channels, size, size], random);
        // With a graph nothing is handed back before Backward().
        var expected = model.Forward(x).ToArray<float>();
        using var _ = new NoGrad();
        CollectGarbage();
        var before = TensorMemory.RentedBytes;
        for (var i = 0; i < 3; i++) Assert.Equal(expected, model.Forward(x).ToArray<float>());
        // Ten numbers a sample take no buffer of the pool.
        Assert.InRange(TensorMemory.RentedBytes, 0, before);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Drawing_weights_leaves_nothing_but_them(bool normal)
    {
        CollectGarbage();
        var before = TensorMemory.RentedBytes;
        var weight = (normal ? Initializer.KaimingNormal : Initializer.Default).Create(512, 512, random);
        // 1 MB, and a quarter of a buffer at most is unused.
        Assert.InRange(TensorMemory.RentedBytes - before, 1 << 20, 5 << 18);
        Assert.All(weight.ToArray<float>(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void In_training_mode_too_the_state_stays()
    {
        var model = new Sequential(new Conv2d(3, 8, 3), new BatchNorm(8), new Dropout(), new Relu(), new Flatten());
        using var _ = new NoGrad();
        var x = Tensor.Randn([8, 3, 16, 16], random);
        for (var i = 0; i < 3; i++) model.Forward(x);
        Assert.All(
            model.NamedState().SelectMany(entry => entry.Value.ToArray<float>()),
            value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void What_is_shown_outside_stays_readable()
    {
        var spy = new Spy();
        var model = new Sequential(
            new Linear(64, 64), new Relu(), spy, new Tanh(), new Linear(64, 64), new Softplus(), new Relu());
        List<(Tensor Value, float[] Copy)> seen = [];
        void See(Tensor value) => seen.Add((value, value.ToArray<float>()));
        void SeeAll(Tensor x, Tensor y)
        {
            See(x);
            See(y);
            // A hook computes, too.
            See(y * 2);
        }
        spy.Seen = SeeAll;
        model[4].RegisterForwardHook((_, x, y) =>
        {
            SeeAll(x, y);
            return null;
        });
        model[5].RegisterForwardHook((_, _, y) => y + 1);
        using var _ = new NoGrad();
        for (var i = 0; i < 3; i++)
        {
            var x = Tensor.Randn([64, 64], random);
            See(x);
            See(model.Forward(x));
        }
        Assert.Equal(3 * 8, seen.Count);
        Assert.All(seen, pair => Assert.Equal(pair.Copy, pair.Value.ToArray<float>()));
    }

    [Fact]
    public void What_is_shown_deep_inside_leaves_the_parts_around_alone()
    {
        List<(Tensor Value, float[] Copy)> seen = [];
        void See(Tensor value) => seen.Add((value, value.ToArray<float>()));
        Layer Seeing(Layer layer)
        {
            layer.RegisterForwardHook((_, x, y) =>
            {
                See(x);
                See(y);
                return null;
            });
            return layer;
        }

        // What comes in is on the list of a part further out than the one that shows it.
        Layer[] inner =
        [
            new Sequential(new Spy()),
            new Sequential(Seeing(new Relu()), new Linear(64, 64)),
            new Sequential(new Sequential(new Sequential(Seeing(new Relu())), new Tanh())),
            new Around(new Spy()),
            new Around(new Around(Seeing(new Flatten()))),
            new Sequential(new Around(new Sequential(new Around(new Spy())))),
        ];
        foreach (var part in inner)
        {
            var model = new Sequential(new Linear(64, 64), part, new Linear(64, 64), new Relu());
            var x = Tensor.Randn([64, 64], random);
            // With a graph nothing is handed back before Backward().
            var expected = model.Forward(x).ToArray<float>();
            using var _ = new NoGrad();
            for (var i = 0; i < 3; i++)
            {
                var y = model.Forward(x);
                See(y);
                Assert.Equal(expected, y.ToArray<float>());
            }
        }
        Assert.All(seen, pair => Assert.Equal(pair.Copy, pair.Value.ToArray<float>()));
    }

    [Fact]
    public void Results_that_look_at_something_earlier_stay_readable()
    {
        using var _ = new NoGrad();
        var x = Tensor.Randn([16, 4, 8, 8], random);
        var copy = x.ToArray<float>();
        Layer[] networks =
        [
            // The input itself, a view of it, and a view of what a layer made.
            new Sequential(new Dropout().Eval(), new Sequential()),
            new Sequential(new Flatten()),
            new Sequential(new Sequential(new Scale(1), new Flatten()), new Dropout().Eval()),
        ];
        foreach (var network in networks)
        {
            var results = Enumerable.Range(0, 3).Select(_ => network.Forward(x)).ToArray();
            Assert.All(results, y => Assert.Equal(copy, y.ToArray<float>()));
            Assert.Equal(copy, x.ToArray<float>());
        }
    }

    [Fact]
    public void A_network_from_outside_keeps_what_it_likes()
    {
        var model = new Remembering(random);
        using var _ = new NoGrad();
        var x = Tensor.Randn([64, 64], random);
        for (var i = 0; i < 3; i++) new Sequential(model, new Relu()).Forward(x);
        Assert.Equal(9, model.Memory.Count);
        Assert.All(model.Memory, pair => Assert.Equal(pair.Copy, pair.Value.ToArray<float>()));
    }

    [Fact]
    public void A_class_that_extends_Sequential_leaves_its_result_alone_too()
    {
        var model = new Extended(random);
        var x = Tensor.Randn([256, 64], random);
        using var _ = new NoGrad();
        CollectGarbage();
        var before = TensorMemory.RentedBytes;
        var results = Enumerable.Range(0, 4).Select(_ => model.Forward(x)).ToArray();
        // 1 KB a row, and a quarter of a buffer at most is unused.
        Assert.InRange(TensorMemory.RentedBytes - before, 0, 5 * 256 << 10);
        Assert.All(results, y => Assert.Equal(results[0].ToArray<float>(), y.ToArray<float>()));
    }

    [Fact]
    public void A_refused_input_leaves_nothing_behind()
    {
        var model = new Sequential(new Linear(64, 64), new Relu(), new Linear(32, 8));
        var fits = new Sequential(new Linear(64, 64), new Relu());
        using var _ = new NoGrad();
        var x = Tensor.Randn([64, 64], random);
        var y = fits.Forward(x);
        var copy = y.ToArray<float>();
        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("2", Assert.Throws<AdjointException>(() => model.Forward(x)).Message);
            Assert.Equal(copy, fits.Forward(x).ToArray<float>());
        }
        Assert.Equal(copy, y.ToArray<float>());
    }

    [Fact]
    public void Many_threads_use_one_network()
    {
        var model = new Sequential(new Linear(64, 64), new Tanh(), new Linear(64, 64), new Relu());
        var inputs = Enumerable.Range(0, 8).Select(i => Tensor.Randn([64, 64], new Generator((ulong)i))).ToArray();
        var expected = inputs.Select(x => model.Forward(x).ToArray<float>()).ToArray();
        Parallel.For(0, 400, i =>
        {
            using var _ = new NoGrad();
            Assert.Equal(expected[i % 8], model.Forward(inputs[i % 8]).ToArray<float>());
        });
    }

    [Fact]
    public void Where_a_graph_is_recorded_nothing_is_handed_back()
    {
        var model = new Sequential(new Linear(64, 64), new Tanh(), new Linear(64, 64));
        var x = Tensor.Randn([64, 64], random);
        var y = model.Forward(x);
        using (new NoGrad()) model.Forward(x);
        y.Square().Sum().Backward();
        Assert.All(model.Parameters(), parameter => Assert.NotNull(parameter.Grad));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CollectGarbage()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private sealed class Spy : Layer
    {
        internal Action<Tensor, Tensor> Seen { get; set; } = (_, _) => { };

        protected override Tensor ForwardCore(Tensor x)
        {
            var y = x + 1;
            Seen(x, y);
            return y;
        }
    }

    private sealed class Around : Layer
    {
        private readonly Layer inside;

        internal Around(Layer inside) => this.inside = AddChild("inside", inside);

        protected override Tensor ForwardCore(Tensor x) => inside.Forward(x);
    }

    private sealed class Remembering : Layer
    {
        private readonly Sequential first, second;

        internal Remembering(Generator random)
        {
            first = AddChild("first", new Sequential(new Linear(64, 64, generator: random), new Relu()));
            second = AddChild("second", new Sequential(new Linear(64, 64, generator: random), new Tanh()));
        }

        internal List<(Tensor Value, float[] Copy)> Memory { get; } = [];

        protected override Tensor ForwardCore(Tensor x)
        {
            var (a, b) = (first.Forward(x), second.Forward(x));
            foreach (var value in (Tensor[])[a, b, a * b]) Memory.Add((value, value.ToArray<float>()));
            return second.Forward(Memory[^1].Value);
        }
    }

    private sealed class Extended(Generator random)
        : Sequential(new Linear(64, 512, generator: random), new Relu(), new Linear(512, 256, generator: random))
    {
        protected override Tensor ForwardCore(Tensor x) => base.ForwardCore(x);
    }
}
