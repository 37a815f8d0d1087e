using System.Numerics;
using Adjoint.Primitives;

namespace Adjoint.Tests.Autograd;

/// <summary>Primitives that users write: with what is public, and part of captured steps as any other.</summary>
public class OwnPrimitiveTests
{
    [Theory, InlineData(false), InlineData(true)]
    public void A_primitive_of_ones_own_is_part_of_a_captured_step(bool isNested)
    {
        float[] Run(bool captured)
        {
            var w = Tensor.Randn([40, 50], new Generator(1)).RequireGrad();
            var count = Tensor.Zeros(40, 50);
            Tensor Loss(Tensor x, Tensor y)
            {
                var turned = Op.Apply(new TurnOp(), x * w);
                // Written once in each step: y + y.
                if (isNested) Backend.Run(new Raise(), count);
                return (turned * y * (count + 1)).Sum();
            }

            var step = CapturedStep.Create(Loss, [w]);
            var found = new List<float>();
            for (var call = 0; call < 5; call++)
            {
                var x = Tensor.Randn([40, 50], new Generator(2, (ulong)call));
                var y = Tensor.Randn([40, 50], new Generator(3, (ulong)call));
                if (captured) found.Add((float)step.Run(x, y).Item());
                else
                {
                    w.ZeroGrad();
                    var loss = Loss(x, y);
                    loss.Backward();
                    found.Add((float)loss.Item());
                }
                found.AddRange(w.Grad!.ToArray<float>());
                Assert.All(count.ToArray<float>(), value => Assert.Equal(isNested ? call + 1 : 0, value));
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. found];
        }

        Assert.Equal(Run(captured: false), Run(captured: true));
    }

    // A recurrence with weights for each row, in float64, and the adjoint by transposing the matrix that it is.
    [Theory, InlineData(DType.Float32, 1e-6), InlineData(DType.Float64, 1e-14), InlineData(DType.BFloat16, 1e-2)]
    [InlineData(DType.Float16, 1e-3)]
    public void A_body_over_spans_takes_every_floating_type_and_layout(DType type, double tolerance)
    {
        const int rows = 5, columns = 7;
        var values = Tensor.Randn([rows, columns], new Generator(4), DType.Float64);
        var decays = Tensor.Rand([rows], new Generator(5), DType.Float64);
        foreach (var lay in (Func<Tensor, Tensor>[])[x => x, x => x.Transpose().Contiguous().Transpose(),
            x => Tensor.Concat([x, x], 1).Slice(1, 0, columns)])
        {
            var (x, a) = (lay(values.To(type)).Detach().RequireGrad(), decays.To(type));
            var y = Op.Apply(new FadeOp(false), x, a);
            Assert.Equal(type, y.DType);
            var g = Tensor.Randn([rows, columns], new Generator(6), DType.Float64).To(type);
            (y * g).Sum().Backward();
            var (plain, fade, weight) = (Doubles(x), Doubles(a), Doubles(g));
            var (found, slope) = (Doubles(y), Doubles(x.Grad!));
            for (var row = 0; row < rows; row++)
                for (var k = 0; k < columns; k++)
                {
                    double sum = 0, back = 0;
                    for (var j = 0; j <= k; j++) sum += Math.Pow(fade[row], k - j) * plain[row * columns + j];
                    for (var j = k; j < columns; j++) back += Math.Pow(fade[row], j - k) * weight[row * columns + j];
                    Assert.Equal(sum, found[row * columns + k], tolerance * (1 + Math.Abs(sum)));
                    Assert.Equal(back, slope[row * columns + k], tolerance * (1 + Math.Abs(back)));
                }
        }

        static double[] Doubles(Tensor x) => x.To(DType.Float64).ToArray<double>();
    }

    [Fact]
    public void Operands_that_do_not_fit_are_refused_before_the_body_runs()
    {
        var (x, a, y) = (Tensor.Ones(2, 3), Tensor.Ones(2), Tensor.Zeros(2, 3));
        var fade = new Fade(false);
        Refused("Fade: takes 3 operands, results last: found 2", () => Backend.Run(fade, x, y));
        Refused("Fade: operand 1 of 3 must not be left out: found null", () => Backend.Run(fade, x, null, y));
        Refused("Fade: x must be (2, 4) float32, as the result: found (2, 3) float32",
            () => Backend.Run(fade, x, a, Tensor.Zeros(2, 4)));
        Refused("Fade: x must be (2, 3) float32, as the result: found (2, 3) float64",
            () => Backend.Run(fade, x.To(DType.Float64), a, y));
        Refused("Fade: decays must be (2,) float32: found (3,) float32", () => Backend.Run(fade, x, Tensor.Ones(3), y));
        Refused("Fade: the result must be contiguous: found a view (2, 3) with gaps",
            () => Backend.Run(fade, x, a, Tensor.Zeros(3, 2).Transpose()));
        Refused("Fade: computes on floating types: found int64",
            () => Backend.Run(fade, x, a, Tensor.Zeros([2, 3], DType.Int64)));
        var both = Tensor.Zeros(12);
        Refused("Fade: the result (2, 3) lies in the memory of an operand (2, 3)",
            () => Backend.Run(fade, both.Slice(0, 1, 6).Reshape(2, 3), a, both.Slice(0, 0, 6).Reshape(2, 3)));
        Assert.All(y.ToArray<float>(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_body_that_asks_for_what_is_not_there_is_refused_by_name()
    {
        var (x, y) = (Tensor.Ones(2, 3), Tensor.Zeros(2, 3));
        Refused("Loose: operand 0 holds float32, not int64", elements => elements.Read<long>(0));
        Refused("Loose: operand 2 holds float32, not float64", elements => elements.Write<double>(2));
        Refused("Loose: operand 0 of 3 is read, not written; results come last", elements => elements.Write<float>(0));
        Refused("Loose: operand 1 of 3 was left out", elements => elements.Read<float>(1));
        Refused("Loose: there is no operand 3 of 3", elements => elements.Read<float>(3));
        Refused("Loose: there is no operand -1 of 3", elements => _ = elements[-1]);
        Refused("no element type for Char", elements => elements.Read<char>(0));
        y = Tensor.Zeros(3, 2).Transpose();
        Refused("Loose: result 2 must be contiguous: found (2, 3), a view with gaps",
            elements => elements.Write<float>(2));

        void Refused(string part, Asking ask) =>
            OwnPrimitiveTests.Refused(part, () => Backend.Run(new Loose(ask), x, null, y));
    }

    [Fact]
    public void What_a_body_changes_in_place_is_not_taken_for_what_a_graph_saved()
    {
        var x = Tensor.Ones(3).RequireGrad();
        var scale = Tensor.Full([3], 2);
        var y = x * scale;
        Backend.Run(new Double(), scale);
        Assert.Equal([4, 4, 4], scale.ToArray<float>());
        Assert.Equal(1, scale.Version);
        Refused("was changed", () => y.Sum().Backward());
    }

    private static void Refused(string part, Action act) =>
        Assert.Contains(part, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);

    private delegate void Asking(Elements elements);

    private sealed class FadeOp(bool isReversed) : Op
    {
        public override string Name => "Fade";
        public override string Formula => "y[r, k] = x[r, k] + a[r]·y[r, k − 1]";
        public override string Derivation => "∂L/∂x[r, k] = g[r, k] + a[r]·∂L/∂x[r, k + 1]; none for a";
        public override Saves Saves => Saves.Inputs;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Fade(isReversed), inputs[0], inputs[1], output);

        public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
            [Apply(new FadeOp(!isReversed), gradient, node.Inputs[1]), null];
    }

    private readonly record struct Fade(bool IsReversed) : ISpanPrimitive<Fade>
    {
        public static string Name => "Fade";

        public static void Check(in Fade primitive, ReadOnlySpan<Tensor?> operands)
        {
            Operands.Expect(Name, operands, 3);
            var (x, a, y) = (operands[0]!, operands[1]!, operands[2]!);
            Operands.Result(Name, y);
            Operands.SameTypeAndShape(Name, "x", x, y);
            Operands.Has(Name, "decays", a, y.DType, y.Shape[0]);
            Operands.NoOverlap(Name, x, y);
        }

        public static void Run<T>(in Fade primitive, Elements elements)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var x = elements.Read<T>(0);
            var a = elements.Read<T>(1);
            var y = elements.Write<T>(2);
            var columns = elements[2]!.Shape[1];
            for (var row = 0; row < a.Length; row++)
            {
                var last = T.Zero;
                for (var k = 0; k < columns; k++)
                {
                    var i = row * columns + (primitive.IsReversed ? columns - 1 - k : k);
                    y[i] = last = x[i] + a[row] * last;
                }
            }
        }
    }

    private readonly record struct Loose(Asking Ask) : ISpanPrimitive<Loose>
    {
        public static string Name => "Loose";
        public static void Check(in Loose primitive, ReadOnlySpan<Tensor?> operands) { }

        public static void Run<T>(in Loose primitive, Elements elements)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => primitive.Ask(elements);
    }

    private readonly record struct Double : ISpanPrimitive<Double>
    {
        public static string Name => "Double";
        public static bool IsInPlace => true;
        public static void Check(in Double primitive, ReadOnlySpan<Tensor?> operands) =>
            Operands.Expect(Name, operands, 1);

        public static void Run<T>(in Double primitive, Elements elements)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            foreach (ref var value in elements.Write<T>(0)) value += value;
        }
    }

    // The elements in reverse: its own derivative.
    private sealed class TurnOp : Op
    {
        public override string Name => "Turn";
        public override string Formula => "yᵢ = xₙ₋₁₋ᵢ";
        public override string Derivation => "∂L/∂xᵢ = gₙ₋₁₋ᵢ";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Turn(), inputs[0], output);

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [Apply(new TurnOp(), gradient)];
    }

    private readonly record struct Turn : IPrimitive<Turn>
    {
        public static string Name => "Turn";

        public static void Check(in Turn primitive, ReadOnlySpan<Tensor?> operands) =>
            Assert.Equal(operands[0]!.Shape, operands[1]!.Shape);

        public static void RunOnCpu(in Turn primitive, ReadOnlySpan<Tensor?> operands)
        {
            var values = operands[0]!.ToArray<float>();
            Array.Reverse(values);
            operands[1]!.CopyFrom<float>(values);
        }
    }

    // In place, by another primitive and by plain numbers.
    private readonly record struct Raise : IPrimitive<Raise>
    {
        public static string Name => "Raise";
        public static bool IsInPlace => true;

        public static void Check(in Raise primitive, ReadOnlySpan<Tensor?> operands) =>
            Assert.Equal(1, operands.Length);

        public static void RunOnCpu(in Raise primitive, ReadOnlySpan<Tensor?> operands)
        {
            var y = operands[0]!;
            y.CopyFrom(y.Affine(1, 0.5));
            y.CopyFrom<float>([.. y.ToArray<float>().Select(value => value + 0.5f)]);
        }
    }
}
