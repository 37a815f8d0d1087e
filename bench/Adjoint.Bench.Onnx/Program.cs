using System.Runtime.InteropServices;
using Adjoint.Bench;
using Microsoft.ML.OnnxRuntime;

// The folder given holds each workload's model, input, and the output that ours gives.
return Server.Run(() => new OnnxSide(args[0]));

/// <summary>ONNX Runtime: the inference workloads.</summary>
internal sealed class OnnxSide(string folder) : ISide
{
    private int threads = 1;

    public string Version { get; } = $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";

    public void Use(int count) => threads = count;

    public Action? Create(string workload)
    {
        var path = Path.Combine(folder, workload);
        if (!File.Exists($"{path}.onnx")) return null;
        // The number of threads belongs to a session.
        var sessions = new Dictionary<int, Session>();
        return () =>
        {
            if (!sessions.TryGetValue(threads, out var session)) sessions[threads] = session = new(path, threads);
            session.Run();
        };
    }

    private sealed class Session
    {
        private readonly InferenceSession session;
        private readonly RunOptions options = new();
        private readonly OrtValue[] input, output;

        internal Session(string path, int threads)
        {
            session = new($"{path}.onnx", new SessionOptions
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            });
            var (expected, found) = (Floats($"{path}.output"), new float[new FileInfo($"{path}.output").Length / 4]);
            input = [Value(Floats($"{path}.input"), session.InputMetadata["x"])];
            output = [Value(found, session.OutputMetadata["y"])];
            Run();
            var (difference, largest) = (expected.Zip(found, (a, b) => Math.Abs(a - b)).Max(), expected.Max(Math.Abs));
            // So that a NaN differs too.
            if (!(difference <= 1e-4 * largest))
                throw new InvalidOperationException($"its output is off by {difference}; ours goes up to {largest}");
        }

        internal void Run() => session.Run(options, ["x"], input, ["y"], output);

        private static OrtValue Value(float[] values, NodeMetadata shape) =>
            OrtValue.CreateTensorValueFromMemory(values, [.. shape.Dimensions.Select(size => (long)size)]);

        private static float[] Floats(string path) => [.. MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path))];
    }
}
