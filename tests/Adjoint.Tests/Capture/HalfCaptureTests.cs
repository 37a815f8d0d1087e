using Adjoint.Optim;

namespace Adjoint.Tests.Capture;

/// <summary>Bfloat16 and float16 captured: the bits of the eager step; and networks learn in them.</summary>
public class HalfCaptureTests
{
    public static TheoryData<DType, bool> Networks() => new()
    {
        { DType.BFloat16, false }, { DType.BFloat16, true }, { DType.Float16, false },
    };

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Element_wise_chains_become_one_pass_with_the_same_bits(DType type)
    {
        Tensor Leaf(ulong seed) => Tensor.Randn([100_003], new Generator(seed)).To(type).Detach().RequireGrad();
        Tensor x = Leaf(1), y = Leaf(2), one = Tensor.Full([1], 0.3, type);
        Tensor[] Step()
        {
            x.ZeroGrad();
            y.ZeroGrad();
            var z = ((x * y + one).Sigmoid() - x.Clamp(-1, 0.7)) * 0.1;
            z.Sum().Backward();
            return [z, x.Grad!, y.Grad!];
        }

        var eager = Step().Select(Bits).ToArray();
        var captured = CapturedFunction.Create(Step);
        foreach (var _ in Threads.Of(1, 1, 1, 2, 3, 8)) Assert.Equal(eager, captured.Run().Select(Bits));
        Assert.InRange(captured.Operations, 2, 5);
    }

    [Theory, MemberData(nameof(Networks))]
    public void A_network_learns_and_captured_it_is_the_same(DType type, bool images)
    {
        var (eager, losses) = Train(type, images, isCaptured: false);
        Assert.InRange(losses[^5..].Average(), 0, losses[..5].Average() / 2);
        Assert.Equal(eager, Train(type, images, isCaptured: true).Bits);
    }

    private static (short[] Bits, double[] Losses) Train(DType type, bool images, bool isCaptured)
    {
        var random = new Generator(1);
        Tensor Weight(params int[] shape) => (Tensor.Randn(shape, random)
            * Math.Sqrt(2.0 / shape[1..].Aggregate(1, (a, b) => a * b))).To(type).Detach().RequireGrad();
        Tensor Bias(int size) => Tensor.Zeros([size], type).RequireGrad();
        Tensor[] p = images
            ? [Weight(6, 1, 3, 3), Bias(6), Weight(12, 6, 3, 3), Bias(12), Weight(4, 108), Bias(4)]
            : [Weight(64, 16), Bias(64), Weight(64, 64), Bias(64), Weight(4, 64), Bias(4)];
        Tensor Forward(Tensor x) => images
            ? x.Conv2d(p[0], p[1], padding: 1).Relu().MaxPool2d(2).Conv2d(p[2], p[3], padding: 1).Relu().MaxPool2d(2)
                .Reshape(x.Shape[0], -1).Linear(p[4], p[5])
            : x.Linear(p[0], p[1]).Relu().Linear(p[2], p[3]).Gelu().Linear(p[4], p[5]);
        Optimizer optimizer = images ? new Sgd(p, 0.05, momentum: 0.9) : new AdamW(p, 0.01);
        Tensor Step(Tensor x, Tensor labels)
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(Forward(x), labels);
            loss.Backward();
            optimizer.Step();
            return loss;
        }

        var captured = CapturedFunction.Create<Tensor>(Step);
        var losses = new List<double>();
        for (var step = 0; step < 40; step++)
        {
            var labels = Enumerable.Range(0, 32).Select(i => (i * 7L + step) % 4).ToArray();
            var (x, y) = (Samples(labels, images, (ulong)step).To(type).Detach(), Tensor.From(labels));
            losses.Add((isCaptured ? captured.Run(x, y) : Step(x, y)).Item());
        }
        Assert.Equal(isCaptured, captured.IsCaptured);
        return ([.. p.SelectMany(Bits)], [.. losses]);
    }

    // Noise, brighter in that quarter which the label says.
    private static Tensor Samples(long[] labels, bool images, ulong seed)
    {
        var x = Tensor.Randn([labels.Length, 144], new Generator(9, seed)).ToArray<float>();
        for (var i = 0; i < x.Length; i++)
        {
            var (row, column) = (i % 144 / 12, i % 12);
            if (labels[i / 144] == row / 6 * 2 + column / 6) x[i] += 1;
        }
        var all = Tensor.From(x, labels.Length, 1, 12, 12);
        return images ? all : all.AvgPool2d(3).Reshape(labels.Length, 16);
    }

    private static short[] Bits(Tensor x)
    {
        x = x.Detach();
        return x.DType switch
        {
            DType.BFloat16 => Array.ConvertAll(x.ToArray<BFloat16>(), value => (short)value.Bits),
            DType.Float16 => Array.ConvertAll(x.ToArray<Half>(), BitConverter.HalfToInt16Bits),
            // The row of casts.
            _ => Array.ConvertAll(x.ToArray<double>(), value => (short)(BitConverter.DoubleToInt64Bits(value) >> 48)),
        };
    }
}
