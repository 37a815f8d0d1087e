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
