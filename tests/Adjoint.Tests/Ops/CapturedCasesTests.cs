namespace Adjoint.Tests.Ops;

/// <summary>
/// Every row of <see cref="OpCases"/>, captured: the bits of the eager calls, whatever the inputs become and however
/// they lie.
/// </summary>
public class CapturedCasesTests
{
    // One eager, one that records, the others replay.
    private const int Calls = 5;

    public static TheoryData<string, DType> Rows() => OpCases.Typed();

    public static TheoryData<string, DType> Halves() => OpCases.Typed((row, type) =>
        row.Uncapturable is null && type is DType.BFloat16 or DType.Float16);

    [Theory, MemberData(nameof(Rows))]
    public void Values_and_derivatives_have_the_bits_of_the_eager_ones(string name, DType type)
    {
        var row = OpCases.Named(name);
        Tensor[] Function(Tensor[] given) => Results(row, given);
        var captured = CapturedFunction.Create(Function);
        for (var call = 0; call < Calls; call++)
        {
            var given = row.Tensors(type, call);
            // Transposed in memory, as an input may be.
            if (call == 3) given = [.. given.Select(x => x.Rank < 2 ? x : x.Transpose().Clone().Transpose())];
            if (row.Uncapturable is not null && call == 1)
            {
                var error = Assert.Throws<CaptureException>(() => captured.Run(given));
                Assert.Contains(row.Uncapturable, error.Message, StringComparison.Ordinal);
                return;
            }
            // What a plan does not own would be gone.
            if (call == 2 && type.IsFloating()) GC.Collect();
            Assert.Equal(Function(given).Select(Bits), captured.Run(given).Select(Bits));
            Assert.Equal(call > 0, captured.IsCaptured);
        }
    }

    [Theory, MemberData(nameof(Halves))]
    public void A_step_with_its_backward_has_the_eager_bits(string name, DType type)
    {
        var row = OpCases.Named(name);
        var leaves = Array.ConvertAll(row.Tensors(type), x => x.RequireGrad());
        Tensor[] Step()
        {
            foreach (var leaf in leaves) leaf.ZeroGrad();
            var y = row.Call(leaves);
            if (row.IsDifferentiable) (y.Square().Sum() * 0.5).Backward();
            return [y, .. leaves.Select(leaf => leaf.Grad).OfType<Tensor>()];
        }

        var eager = Step().Select(Bits).ToArray();
        var captured = CapturedFunction.Create(Step);
        for (var call = 0; call < 4; call++) Assert.Equal(eager, captured.Run().Select(Bits));
        Assert.True(captured.IsCaptured);
    }

    // The value, its gradients by both rules, and where the op is smooth those of the gradients' squares.
    private static Tensor[] Results(OpCase row, Tensor[] given)
    {
        Tensor[] x = [.. given.Select(one => one.DType.IsFloating() ? one.Detach().RequireGrad() : one)];
        var y = row.Call(x);
        if (!y.RequiresGrad) return [y];
        var weights = Tensor.Arange(1, y.Length + 1, dtype: y.DType).Reshape(y.Shape.Sizes);
        var fused = Differentiation.Gradients(y, x, weights, retainGraph: true);
        var composed = Differentiation.Gradients(y, x, weights, createGraph: true);
        var curves = composed.OfType<Tensor>().Where(slope => row.IsSmooth && slope.RequiresGrad)
            .SelectMany(slope => Differentiation.Gradients(slope.Square().Sum(), x, retainGraph: true));
        return [y.Detach(), .. fused.Concat(composed).Concat(curves).OfType<Tensor>().Select(slope => slope.Detach())];
    }

    private static long[] Bits(Tensor tensor) => Array.ConvertAll(
        tensor.Detach().To(DType.Float64).ToArray<double>(), BitConverter.DoubleToInt64Bits);
}
