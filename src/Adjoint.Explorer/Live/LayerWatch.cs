using Adjoint.Nn;

namespace Adjoint.Explorer;

/// <summary>What comes out of a layer, and the gradient that arrives there.</summary>
/// <param name="Path">The layer.</param>
/// <param name="Label">What it is.</param>
/// <param name="Output">Its values.</param>
/// <param name="Gradient">∂loss/∂output.</param>
/// <param name="Units">How many units, or channels.</param>
/// <param name="Dead">Which of them give the same number for every sample and position: nothing that they see
/// passes.</param>
internal sealed record WatchedLayer(string Path, string Label, double[] Output, double[] Gradient, int Units,
    IReadOnlyList<int> Dead);

/// <summary>
/// Looks at every innermost layer during one pass, forward and backward, that leaves no trace in the network.
/// </summary>
internal static class LayerWatch
{
    internal static IReadOnlyList<WatchedLayer> Run(Layer model, Tensor x, Tensor y)
    {
        var outputs = new List<(string Path, Module Layer, Tensor Output)>();
        // A layer that stands in several places is watched once; the order of its calls tells them apart.
        var hooks = Innermost(model, "").GroupBy(layer => layer.Module, layer => layer.Path).Select(layer =>
        {
            var (paths, calls) = (layer.ToArray(), 0);
            return layer.Key.RegisterForwardHook((module, _, all) =>
            {
                var path = paths[calls++ % paths.Length];
                outputs.AddRange(all.Where(output => output.RequiresGrad).Select(output => (path, module, output)));
                return null;
            });
        }).ToArray();
        try
        {
            return LeavingNoTrace(model, () =>
            {
                var loss = Loss.CrossEntropy(model.Forward(x), y);
                var gradients = Differentiation.Gradients(loss, [.. outputs.Select(output => output.Output)],
                    retainGraph: true);
                return outputs.Select((output, i) => Describe(output.Path, output.Layer, output.Output, gradients[i]))
                    .ToArray();
            });
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
    }

    /// <summary>Runs work that may move buffers, such as running means, and puts them back.</summary>
    internal static T LeavingNoTrace<T>(Layer model, Func<T> work)
    {
        var before = model.NamedBuffers().Select(buffer => (buffer.Value, Copy: buffer.Value.Clone())).ToArray();
        try
        {
            return work();
        }
        finally
        {
            foreach (var (buffer, copy) in before) buffer.CopyFrom(copy);
        }
    }

    private static IEnumerable<(string Path, Module Module)> Innermost(Module module, string path) =>
        module.Children.Count == 0
        ? [(path, module)]
        : module.Children.SelectMany(
            child => Innermost(child.Value, path.Length == 0 ? child.Name : $"{path}.{child.Name}"));

    private static WatchedLayer Describe(string path, Module layer, Tensor output, Tensor? gradient)
    {
        var values = TensorView.ToDoubles(output);
        var units = output.Rank > 1 ? output.Shape[1] : 1;
        var positions = output.Rank > 2 ? output.Length / output.Shape[0] / units : 1;
        var (low, high) = (new double[units], new double[units]);
        Array.Fill(low, double.PositiveInfinity);
        Array.Fill(high, double.NegativeInfinity);
        for (var i = 0; i < values.Length; i++)
        {
            var unit = i / positions % units;
            if (values[i] < low[unit]) low[unit] = values[i];
            if (values[i] > high[unit]) high[unit] = values[i];
        }
        var dead = Enumerable.Range(0, units).Where(unit => low[unit] == high[unit]).ToArray();
        return new(path, layer.ToString()!, values, gradient is null ? [] : TensorView.ToDoubles(gradient), units,
            dead);
    }
}
