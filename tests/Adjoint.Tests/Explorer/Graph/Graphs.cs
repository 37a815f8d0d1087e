using Adjoint.Explorer;
using Adjoint.Nn;

namespace Adjoint.Tests.Explorer;

/// <summary>Computations that tests look at.</summary>
internal static class Graphs
{
    /// <summary>An op of the catalogue at its inputs, with a random gradient on top.</summary>
    internal static ComputationGraph Of(OpEntry entry)
    {
        var inputs = entry.Inputs();
        foreach (var input in inputs) input.RequireGrad();
        var y = entry.Call(inputs);
        return ComputationGraph.Of((y * Tensor.Randn(y.Shape, new Generator(5), y.DType)).Sum());
    }

    /// <summary>A small network and its loss, traced.</summary>
    internal static (Mlp Model, Tensor Loss, Tensor X, Tensor Labels) Network(ulong seed = 3)
    {
        var model = new Mlp(3, [4], 2, "tanh", new Generator(seed));
        var (x, labels) = (Tensor.Randn([5, 3], new Generator(seed, 1)), Tensor.From(new long[] { 0, 1, 1, 0, 1 }, 5));
        using var tracing = new Tracing();
        return (model, Loss.CrossEntropy(model.Forward(x), labels), x, labels);
    }
}
