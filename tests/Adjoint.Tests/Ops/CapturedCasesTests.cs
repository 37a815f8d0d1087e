namespace Adjoint.Tests.Ops;

/// <summary>Every row of <see cref="OpCases"/>, captured: the bits of the eager calls, whatever the inputs become.</summary>
public class CapturedCasesTests
{
    private const int Replays = 4;

    // What cannot be captured, and how that is said.
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["Transfer"] = "a tensor is moved from one device to another",
    };

    public static TheoryData<string> Names() => [.. OpCases.All.Select(row => row.Name)];

    public static TheoryData<string> Smooth() => [.. OpCases.All.Where(row => row.Smooth).Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Values_and_gradients_have_the_bits_of_the_eager_ones(string name) =>
        Check(name, (y, weights, _) => (y * weights).Sum());

    [Theory, MemberData(nameof(Smooth))]
    public void Second_derivatives_have_the_bits_of_the_eager_ones(string name) => Check(name, (y, weights, leaves) =>
    {
        var slopes = Differentiation.Gradients((y * weights).Sum(), leaves, createGraph: true);
        return slopes.Where(slope => slope is { RequiresGrad: true }).Select(slope => slope!.Square().Sum())
            .Aggregate(weights.Sum(), (sum, term) => sum + term);
    });

    private static void Check(string name, Func<Tensor, Tensor, Tensor[], Tensor> loss)
    {
        var row = OpCases.All.Single(row => row.Name == name);
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            var leaves = row.Tensors(row.Inputs(), dtype);
            foreach (var leaf in leaves) leaf.RequireGrad();
            var y = row.Call(leaves);
            // Their gradient is y itself: so all of it comes out of the step.
            var weights = Tensor.Randn(y.Shape, new Generator(5), y.DType).RequireGrad();
            Tensor[] wanted = [.. leaves, weights];
            Tensor Loss() => loss(row.Call(leaves), weights, leaves);

            var captured = Capture(Loss, wanted);
            if (Refused.TryGetValue(name, out var reason))
            {
                Assert.Contains(reason, Assert.Throws<CaptureException>(captured).Message, StringComparison.Ordinal);
                continue;
            }
            for (var call = 0; call < Replays; call++)
            {
                var inputs = row.Inputs(call);
                for (var i = 0; i < leaves.Length; i++)
                    leaves[i].CopyFrom(Tensor.From(inputs[i].AsSpan(), row.Shapes[i]).To(dtype));
                // What a plan does not own would be gone.
                if (call == 2) GC.Collect();
                var eager = Differentiation.Gradients(Loss(), wanted);
                Assert.Equal(eager.Select(Bits), captured().Select(Bits));
            }
        }
    }

    // A function that replays: the gradients of the leaves.
    private static Func<Tensor?[]> Capture(Func<Tensor> loss, Tensor[] leaves)
    {
        var step = CapturedStep.Create((_, _) => loss(), leaves);
        var none = Tensor.Zeros(1);
        step.Run(none, none);
        return () =>
        {
            step.Run(none, none);
            Assert.True(step.IsCaptured);
            return [.. leaves.Select(leaf => leaf.Grad)];
        };
    }

    private static long[]? Bits(Tensor? tensor) => tensor is null
        ? null
        : Array.ConvertAll(tensor.To(DType.Float64).ToArray<double>(), BitConverter.DoubleToInt64Bits);
}
