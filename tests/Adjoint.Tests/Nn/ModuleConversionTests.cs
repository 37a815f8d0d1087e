using System.Numerics;
using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Backends;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

/// <summary>A module in another element type, or on another device, is the same module.</summary>
public class ModuleConversionTests
{
    private static readonly DType[] Floating = [DType.Float32, DType.Float64, DType.Float16, DType.BFloat16];

    private readonly Generator random = new(5);

    public static TheoryData<DType, DType> Directions =>
        [.. Floating.SelectMany(_ => Floating, (type, to) => (type, to))];

    [Theory, MemberData(nameof(Directions))]
    public void Values_are_those_of_a_cast(DType from, DType to)
    {
        // Also −0, what is subnormal in float16, what overflows there, and what is no number.
        double[] special = [0, -0.0, 1e-7, 3e-8, -65519, 65520, 1e38, double.NaN, double.PositiveInfinity, 1 / 3.0];
        var values = Tensor.From([.. special, .. Tensor.Randn([90], random).ToArray<float>().Select(x => (double)x)]);
        var model = new Holder(values.To(from).Detach(), values.To(from).Detach());
        var expected = Cast(Bytes(model.Weight), from, to);
        model.To(to);
        Assert.Equal((to, to), (model.Weight.DType, model.Buffer.DType));
        Assert.Equal(expected, Bytes(model.Weight));
        Assert.Equal(expected, Bytes(model.Buffer));
    }

    [Fact]
    public void Tensors_names_ties_and_flags_stay_and_gradients_go()
    {
        var linear = new Linear(3, 3, generator: random);
        linear.Bias!.RequireGrad(false);
        var model = new Sequential(linear, new Relu(), linear);
        var (weight, name) = (linear.Weight, linear.Weight.Name);
        var before = weight.ToArray<float>();
        model.Forward(Tensor.Ones(2, 3)).Sum().Backward();
        var version = weight.Version;
        Assert.Same(model, model.To(DType.Float64));
        Assert.Same(weight, linear.Weight);
        Assert.Same(weight, model.Parameters().First());
        Assert.Equal((name, true, true), (weight.Name, weight.RequiresGrad, weight.IsLeaf));
        Assert.False(linear.Bias.RequiresGrad);
        Assert.Null(weight.Grad);
        Assert.True(weight.Version > version);
        Assert.Equal(before.Select(value => (double)value), weight.ToArray<double>());
        Assert.Equal(DType.Float64, model.Forward(Tensor.Ones(2, 3).To(DType.Float64)).DType);
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], model.StateDict().Keys);
        model.Forward(Tensor.Ones(2, 3).To(DType.Float64)).Sum().Backward();
        Assert.Equal(DType.Float64, weight.Grad!.DType);
    }

    [Fact]
    public void Parameters_that_share_memory_share_it_afterwards_too()
    {
        var whole = Tensor.Randn([4, 6], random);
        var model = new Holder(whole, whole.Slice(0, 1, 2).Transpose());
        var (expected, part) = (whole.ToArray<float>(), model.Buffer.Contiguous().ToArray<float>());
        model.To(DType.Float64);
        Assert.Equal(expected.Select(value => (double)value), whole.ToArray<double>());
        Assert.Equal(part.Select(value => (double)value), model.Buffer.Contiguous().ToArray<double>());
        Assert.False(model.Buffer.IsContiguous);
        whole.Detach().Fill(7);
        Assert.All(model.Buffer.Contiguous().ToArray<double>(), value => Assert.Equal(7, value));
    }

    [Fact]
    public void Whole_numbers_and_truth_values_stay_and_what_is_not_saved_comes_along()
    {
        var model = new Buffers();
        Assert.Equal(["count", "isOn", "mean"], model.StateDict().Keys.Order());
        Assert.Equal(["count", "isOn", "mean", "table"], model.NamedBuffers().Select(buffer => buffer.Name).Order());
        Assert.Empty(model.Parameters());
        model.To(DType.BFloat16);
        var types = model.NamedBuffers().ToDictionary(buffer => buffer.Name, buffer => buffer.Value.DType);
        Assert.Equal(
            (DType.Int64, DType.Bool, DType.BFloat16, DType.BFloat16),
            (types["count"], types["isOn"], types["mean"], types["table"]));
        Assert.Equal([3L], model.Count.ToArray<long>());
        model.To(ReferenceDevice.First);
        Assert.All(model.NamedBuffers(), buffer => Assert.Same(ReferenceDevice.First, buffer.Value.Device));
    }

    [Fact]
    public void The_type_that_it_has_changes_nothing()
    {
        var model = new Linear(3, 2, generator: random);
        var loss = model.Forward(Tensor.Ones(1, 3)).Square().Sum();
        model.Forward(Tensor.Ones(1, 3)).Sum().Backward();
        var gradient = model.Weight.Grad;
        model.To(DType.Float32).To(Device.Cpu);
        Assert.Same(gradient, model.Weight.Grad);
        loss.Backward();
    }

    [Theory]
    [InlineData("product"), InlineData("view"), InlineData("sum")]
    public void A_graph_from_before_refuses_to_go_backward(string kind)
    {
        foreach (var toDevice in (bool[])[false, true])
        {
            var model = new Linear(3, 3, bias: false, generator: random);
            var (weight, x) = (model.Weight, Tensor.Ones(2, 3));
            var y = kind == "product" ? weight * weight : kind == "view" ? x.MatMul(weight.Transpose()) : weight;
            var loss = y.Sum();
            if (toDevice) model.To(ReferenceDevice.First);
            else model.To(DType.Float64);
            var error = Assert.Throws<AdjointException>(() => loss.Backward());
            if (kind == "sum") Assert.Contains("was converted or moved after the forward pass", error.Message);
            else Assert.Contains("was changed in place after the forward pass", error.Message);
            Assert.Null(weight.Grad);
        }
    }

    [Fact]
    public void Optimizers_and_averages_follow()
    {
        const double Rate = 0.1, Momentum = 0.9, Decay = 0.25;
        var model = new Holder(Tensor.Randn([5], random), Tensor.Ones(1));
        var (sgd, average) = (new Sgd(model.Parameters(), Rate, Momentum), new WeightAverage(model, Decay));
        double[] w = Doubles(model.Weight), v = new double[5], mean = [.. w];
        for (var step = 0; step < 6; step++)
        {
            var type = step < 2 ? DType.Float32 : DType.Float64;
            // What float32 rounded is where float64 goes on, to its last digit.
            if (step == 2)
            {
                (w, v) = (Doubles(model.Weight), Doubles(sgd.StateDict()["0.0"]));
                mean = Doubles(average.StateDict()["weight"]);
            }
            model.To(type);
            sgd.ZeroGrad();
            (model.Weight * model.Weight * model.Weight).Sum().Backward();
            sgd.Step();
            average.Update();
            var decay = Math.Min(Decay, (1.0 + step) / (10 + step));
            for (var i = 0; i < 5; i++)
            {
                v[i] = Round(Momentum * v[i] + 3 * w[i] * w[i], type);
                w[i] = Round(w[i] - Rate * v[i], type);
                mean[i] = Round(mean[i] + (1 - decay) * (w[i] - mean[i]), type);
            }
            var exact = step < 2 ? 1e-5 : 1e-11;
            Assert.All(w.Zip(Doubles(model.Weight)), pair => Assert.Equal(pair.First, pair.Second, exact));
            using (average.Swap())
                Assert.All(mean.Zip(Doubles(model.Weight)), pair => Assert.Equal(pair.First, pair.Second, exact));
        }
        Assert.Equal(DType.Float64, sgd.StateDict()["0.0"].DType);
        Assert.Equal(DType.Float64, average.StateDict()["weight"].DType);
        // The same from what was saved, in the new type.
        var (other, again) = (new Holder(model.Weight.Detach().Clone(), Tensor.Ones(1)), sgd.StateDict());
        var second = new Sgd(other.To(DType.Float64).Parameters(), Rate, Momentum);
        second.LoadStateDict(again);
        foreach (var (one, optimizer) in (IEnumerable<(Holder, Sgd)>)[(model, sgd), (other, second)])
        {
            optimizer.ZeroGrad();
            one.Weight.Square().Sum().Backward();
            optimizer.Step();
        }
        Assert.Equal(model.Weight.ToArray<double>(), other.Weight.ToArray<double>());

        static double Round(double value, DType type) => type == DType.Float32 ? (float)value : value;
        static double[] Doubles(Tensor tensor) => tensor.Detach().To(DType.Float64).ToArray<double>();
    }

    [Fact]
    public void A_captured_step_with_the_optimizer_in_it_goes_on_in_the_new_type()
    {
        var (captured, eager) = (Make(), Make());
        var (a, b) = (new Adam(captured.Parameters(), 0.01), new Adam(eager.Parameters(), 0.01));
        var step = CapturedFunction.Create((Tensor x) => Step(captured, a, x));
        for (var i = 0; i < 12; i++)
        {
            if (i is 4 or 8)
                foreach (var model in (Sequential[])[captured, eager])
                    model.To(i == 4 ? DType.Float64 : DType.Float32);
            var x = Tensor.Randn([8, 4], new Generator((ulong)i)).To(captured.Parameters().First().DType);
            Assert.Equal(Step(eager, b, x).Item(), step.Run(x).Item());
            foreach (var (one, other) in eager.StateDict().Zip(captured.StateDict()))
                Assert.Equal(Bytes(one.Value), Bytes(other.Value));
        }
        Assert.True(step.IsCaptured);

        static Sequential Make() => new(
            new Linear(4, 8, generator: new Generator(3)), new BatchNorm(8, scale: false), new Relu(),
            new Linear(8, 2, generator: new Generator(4)));

        static Tensor Step(Sequential model, Adam adam, Tensor x)
        {
            adam.ZeroGrad();
            var loss = model.Forward(x).Square().Mean();
            loss.Backward();
            adam.Step();
            return loss;
        }
    }

    [Fact]
    public void A_captured_function_notices_a_buffer_that_it_only_writes()
    {
        var model = new Last();
        var function = CapturedFunction.Create((Tensor x) => model.Forward(x));
        for (var i = 0; i < 4; i++) function.Run(Tensor.Full([2], i));
        Assert.True(function.IsCaptured);
        model.To(DType.Float64);
        for (var i = 4; i < 7; i++)
        {
            function.Run(Tensor.Full([2], i));
            Assert.Equal([i, i], model.Seen.ToArray<double>());
        }
    }

    [Fact]
    public void A_model_moves_to_a_device_and_learns_there()
    {
        var here = new Holder(Tensor.Randn([3, 2], random), Tensor.Ones(1));
        var there = new Holder(Tensor.Ones(3, 2), Tensor.Ones(1));
        there.LoadStateDict(here.StateDict());
        var adam = new Adam(there.Parameters());
        there.Weight.Sum().Backward();
        adam.Step();
        there.To(ReferenceDevice.First);
        Assert.Same(ReferenceDevice.First, adam.StateDict()["0.1"].Device);
        // A state on the CPU is loaded to where the model is.
        there.LoadStateDict(here.StateDict());
        var x = Tensor.Randn([4, 3], random);
        here.Forward(x).Sum().Backward();
        var y = there.Forward(x.To(ReferenceDevice.First));
        Assert.Same(ReferenceDevice.First, y.Device);
        y.Sum().Backward();
        Assert.Same(ReferenceDevice.First, there.Weight.Grad!.Device);
        Assert.All(
            here.Weight.Grad!.ToArray<float>().Zip(there.Weight.Grad!.To(Device.Cpu).ToArray<float>()),
            pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        there.To(Device.Cpu);
        Assert.Equal(here.Weight.ToArray<float>(), there.Weight.ToArray<float>());
        Assert.Null(there.Weight.Grad);
        there.Weight.Sum().Backward();
        adam.Step();
    }

    [Fact]
    public void Where_one_cannot_be_converted_all_stay()
    {
        var model = new Sequential(new Linear(2, 2, generator: random), new Linear(2, 2, generator: random));
        // Its second half is on a device that does not cast.
        model[1].To(ReferenceDevice.Second);
        var before = model.Parameters().First().ToArray<float>();
        var error = Assert.Throws<AdjointException>(() => model.To(DType.Float64));
        Assert.StartsWith("Cast: reference 2 does not have this primitive", error.Message);
        Assert.All(model.Parameters(), parameter => Assert.Equal(DType.Float32, parameter.DType));
        Assert.Equal(before, model.Parameters().First().ToArray<float>());
    }

    [Theory]
    [InlineData("lenet"), InlineData("resnet20"), InlineData("speednet")]
    public void Networks_compute_and_learn_in_float64(string name)
    {
        var model = ModelZoo.All.Single(entry => entry.Name == name).Create(3, 10, random, null);
        var x = Tensor.Randn([4, 3, 32, 32], random);
        foreach (var training in (bool[])[true, false])
        {
            var expected = model.Train(training).To(DType.Float32).Forward(x).ToArray<float>();
            var y = model.To(DType.Float64).Forward(x.To(DType.Float64));
            Assert.Equal(DType.Float64, y.DType);
            Assert.All(expected.Zip(y.ToArray<double>()), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
            y.Square().Sum().Backward();
            Assert.All(model.Parameters(), parameter => Assert.Equal(DType.Float64, parameter.Grad!.DType));
        }
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_trainer_gives_samples_in_the_type_of_the_model(bool eager)
    {
        var data = Synth.Create(seed: 1, train: 800, validation: 200);
        var model = new Mlp(2, [16], 2, "relu", new Generator(1)).To(DType.BFloat16);
        var trainer = new Trainer(
            model, new Sgd(model.Parameters(), 0.5), new ClassificationTask(),
                new DataLoader(data.Train, 32, new() { Shuffle = true }),
            new DataLoader(data.Validation, 200))
        { Eager = eager };
        var result = trainer.Fit(5);
        Assert.True(result.Epochs[^1].ValidationAccuracy > 0.9, $"{result.Epochs[^1]}");
        Assert.All(model.Parameters(), parameter => Assert.Equal(DType.BFloat16, parameter.DType));
        Assert.Matches(@"1 Linear\(2 → 16\) +\(5, 16\) +48", model.Summary(5, 2));
    }

    [Fact]
    public void The_type_of_a_module_is_that_of_its_parameters()
    {
        Assert.Equal(DType.Float64, new Linear(2, 2).To(DType.Float64).DType);
        Assert.Equal(DType.Float16, new Buffers().To(DType.Float16).DType);
        Assert.Equal(DType.Float32, new Relu().To(DType.Float16).DType);
    }

    [Fact]
    public void Misuse_is_refused_by_name()
    {
        var model = new Linear(2, 2, generator: random);
        Refused(
            "Linear.To: parameters are floating-point numbers: found int64; convert to float32, float64, bfloat16 or "
            + "float16", () => model.To(DType.Int64));
        Refused("Linear.To: parameters are floating-point numbers: found bool; ", () => ((Module)model).To(DType.Bool));
        Assert.Throws<ArgumentNullException>(() => model.To((Device)null!));
        Refused(
            "LoadStateDict: weight must be (2, 2) float64: found (2, 2) float32; convert the model first: "
            + ".To(DType.Float32)", () => new Linear(2, 2).To(DType.Float64).LoadStateDict(model.StateDict()));
        var function = CapturedFunction.Create((Tensor x) => model.To(x.DType).Forward(x));
        function.Run(Tensor.Ones(1, 2));
        Assert.Contains(
            "a module is converted or moved",
            Assert.Throws<CaptureException>(() => function.Run(Tensor.Ones(1, 2))).Message);

        static void Refused(string message, Action call) =>
            Assert.StartsWith(message, Assert.Throws<AdjointException>(call).Message);
    }

    private static byte[] Bytes(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => [.. MemoryMarshal.AsBytes(tensor.ToArray<float>().AsSpan())],
        DType.Float64 => [.. MemoryMarshal.AsBytes(tensor.ToArray<double>().AsSpan())],
        DType.Float16 => [.. MemoryMarshal.AsBytes(tensor.ToArray<Half>().AsSpan())],
        DType.BFloat16 => [.. MemoryMarshal.AsBytes(tensor.ToArray<BFloat16>().AsSpan())],
        _ => throw new NotSupportedException(tensor.DType.Label()),
    };

    private static byte[] Cast(byte[] bytes, DType from, DType to) => from switch
    {
        DType.Float32 => Cast<float>(bytes, to),
        DType.Float64 => Cast<double>(bytes, to),
        DType.Float16 => Cast<Half>(bytes, to),
        DType.BFloat16 => Cast<BFloat16>(bytes, to),
        _ => throw new NotSupportedException(from.Label()),
    };

    private static byte[] Cast<T>(byte[] bytes, DType to) where T : unmanaged, INumber<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes).ToArray();
        return to switch
        {
            DType.Float32 => As<float>(),
            DType.Float64 => As<double>(),
            DType.Float16 => As<Half>(),
            DType.BFloat16 => As<BFloat16>(),
            _ => throw new NotSupportedException(to.Label()),
        };

        byte[] As<TTo>() where TTo : unmanaged, INumber<TTo> =>
            [.. MemoryMarshal.AsBytes(values.Select(TTo.CreateTruncating).ToArray().AsSpan())];
    }

    private sealed class Holder : Layer
    {
        public Holder(Tensor weight, Tensor buffer)
        {
            Weight = AddParameter("weight", weight);
            Buffer = AddBuffer("buffer", buffer);
        }

        public Tensor Weight { get; }

        public Tensor Buffer { get; }

        protected override Tensor ForwardCore(Tensor x) => x.MatMul(Weight);
    }

    private sealed class Buffers : Module
    {
        public Buffers()
        {
            Count = AddBuffer("count", Tensor.From(new long[] { 3 }));
            AddBuffer("isOn", Tensor.Ones(1).To(DType.Bool));
            AddBuffer("mean", Tensor.Ones(2));
            AddBuffer("table", Tensor.Ones(2), isSaved: false);
        }

        public Tensor Count { get; }
    }

    private sealed class Last : Module
    {
        public Last() => Seen = AddBuffer("seen", Tensor.Zeros(2));

        public Tensor Seen { get; }

        public Tensor Forward(Tensor x) => Call([x], () =>
        {
            Seen.CopyFrom(x.To(Seen.DType));
            return x * 2;
        });
    }
}
