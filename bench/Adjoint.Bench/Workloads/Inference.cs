using System.Runtime.InteropServices;
using Adjoint.Nn;

namespace Adjoint.Bench;

/// <summary>
/// Networks that only answer, <c>NETWORK-infer-BATCH</c>; ONNX Runtime gets the same weights and the same inputs in
/// files, and the answers to compare its own with.
/// </summary>
internal static class Inference
{
    private sealed record Network(string Name, int[] Input, double FlopsPerSample, Func<Generator, Layer> Create,
        Action<OnnxGraph, IReadOnlyDictionary<string, Tensor>> Describe);

    private static readonly Network[] Networks =
    [
        new("mlp", [784], 2.0 * (784 * 3136 + 3136 * 10),
            random => new Mlp(784, [3136], 10, "sigmoid", random), OnnxNetworks.Mlp),
        new("lenet", [3, 32, 32], 2.0 * (75 * 6 * 784 + 150 * 16 * 100 + 400 * 120 + 120 * 84 + 84 * 10),
            random => new LeNetCifar(10, random), OnnxNetworks.LeNet),
        // He et al. 2015: 40.8 million multiplications an image.
        new("resnet20", [3, 32, 32], 2 * 40.8e6, random => new CifarResNet(20, generator: random),
            OnnxNetworks.ResNet20),
    ];

    internal static IReadOnlyList<Workload> All { get; } =
        [.. Networks.SelectMany(network => ((int[])[1, 128]).Select(batch => Of(network, batch)))];

    private static Workload Of(Network network, int batch) =>
        new($"{network.Name}-infer-{batch}", 2, network.FlopsPerSample * batch, 0, () =>
        {
            var (model, x) = SetUp(network, batch);
            return () => Answer(model, x);
        });

    /// <summary>
    /// Writes <c>NAME.onnx</c> and, raw float32, <c>NAME.input</c> and <c>NAME.output</c> for each of these workloads.
    /// </summary>
    internal static void Export(string folder)
    {
        foreach (var network in Networks)
            foreach (var batch in (int[])[1, 128])
            {
                var (model, x) = SetUp(network, batch);
                var y = Answer(model, x);
                var graph = new OnnxGraph();
                network.Describe(graph, model.StateDict());
                var path = Path.Combine(folder, $"{network.Name}-infer-{batch}");
                graph.Save($"{path}.onnx", x.Shape.Sizes, y.Shape.Sizes);
                File.WriteAllBytes($"{path}.input", MemoryMarshal.AsBytes<float>(x.ToArray<float>()));
                File.WriteAllBytes($"{path}.output", MemoryMarshal.AsBytes<float>(y.ToArray<float>()));
            }
    }

    private static (Layer Model, Tensor X) SetUp(Network network, int batch)
    {
        var model = network.Create(new Generator(1));
        // One pass in training moves the statistics of the normalizations away from 0 and 1.
        using (new NoGrad()) model.Forward(Tensor.Randn([8, .. network.Input], new Generator(3)));
        model.Eval();
        return (model, Tensor.Randn([batch, .. network.Input], new Generator(2)));
    }

    private static Tensor Answer(Layer model, Tensor x)
    {
        using var _ = new NoGrad();
        return model.Forward(x);
    }
}
