using State = System.Collections.Generic.IReadOnlyDictionary<string, Adjoint.Tensor>;

namespace Adjoint.Bench;

/// <summary>The networks of <see cref="Inference"/>, layer by layer, with the weights of ours.</summary>
internal static class OnnxNetworks
{
    internal static void Mlp(OnnxGraph graph, State weights)
    {
        Linear(graph, weights, "1");
        graph.Node("Sigmoid");
        Linear(graph, weights, "3");
    }

    internal static void LeNet(OnnxGraph graph, State weights)
    {
        foreach (var layer in (string[])["0", "3"])
        {
            graph.Node("Conv", Constants(graph, weights, layer, "weight", "bias")).Node("Relu");
            graph.Node("MaxPool", [], ("kernel_shape", [2, 2]), ("strides", [2, 2]));
        }
        graph.Node("Flatten");
        Linear(graph, weights, "7");
        graph.Node("Relu");
        Linear(graph, weights, "9");
        graph.Node("Relu");
        Linear(graph, weights, "11");
    }

    internal static void ResNet20(OnnxGraph graph, State weights)
    {
        Convolution(graph, weights, "0", "1", 1);
        graph.Node("Relu");
        var (module, inputs) = (3, 16);
        foreach (var outputs in (int[])[16, 32, 64])
            for (var block = 0; block < 3; block++, module++)
            {
                var (x, stride) = (graph.Last, inputs == outputs ? 1 : 2);
                Convolution(graph, weights, $"{module}.path.0", $"{module}.path.1", stride);
                graph.Node("Relu");
                Convolution(graph, weights, $"{module}.path.3", $"{module}.path.4", 1);
                var path = graph.Last;
                graph.Last = x;
                if (stride > 1) Narrow(graph, (outputs - inputs) / 2);
                graph.Node("Add", [path]).Node("Relu");
                inputs = outputs;
            }
        graph.Node("GlobalAveragePool").Node("Flatten");
        Linear(graph, weights, $"{module + 1}");
    }

    // Option A: every second position, and channels of zeros before and behind.
    private static void Narrow(OnnxGraph graph, int channels)
    {
        var (starts, ends) = (graph.Constant(0, 0), graph.Constant(int.MaxValue, int.MaxValue));
        graph.Node("Slice", [starts, ends, graph.Constant(2, 3), graph.Constant(2, 2)]);
        graph.Node("Pad", [graph.Constant(0, channels, 0, 0, 0, channels, 0, 0)]);
    }

    private static void Linear(OnnxGraph graph, State weights, string layer) =>
        graph.Node("Gemm", Constants(graph, weights, layer, "weight", "bias"), ("transB", [1]));

    // 3×3 without bias, then the normalization.
    private static void Convolution(OnnxGraph graph, State weights, string layer, string norm, int stride)
    {
        var weight = Constants(graph, weights, layer, "weight");
        graph.Node("Conv", weight, ("pads", [1, 1, 1, 1]), ("strides", [stride, stride]));
        var normalization = Constants(graph, weights, norm, "weight", "bias", "running_mean", "running_var");
        graph.Node("BatchNormalization", normalization);
    }

    private static string[] Constants(OnnxGraph graph, State weights, string layer, params string[] names) =>
        [.. names.Select(name => graph.Constant(weights[$"{layer}.{name}"]))];
}
