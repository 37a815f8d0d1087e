using System.Runtime.InteropServices;

namespace Adjoint.Bench;

/// <summary>
/// A network as an ONNX model, of the operators that the benchmark's networks need; the numbers are the fields of
/// onnx.proto.
/// </summary>
internal sealed class OnnxGraph
{
    private const int Float = 1, Int64 = 7, Ints = 7, Int = 2, IrVersion = 8, OpSet = 13;
    private readonly ProtobufWriter graph = new ProtobufWriter().Add(2, "network");
    private int names;

    /// <summary>The value that was computed last; at first the input.</summary>
    internal string Last { get; set; } = "x";

    /// <summary>Adds a node that reads the last value, then these; what it makes is the last value.</summary>
    internal OnnxGraph Node(string op, ReadOnlySpan<string> more = default,
        params ReadOnlySpan<(string Name, long[] Values)> attributes)
    {
        var node = new ProtobufWriter().Add(1, Last);
        foreach (var input in more) node.Add(1, input);
        Last = Fresh();
        node.Add(2, Last).Add(4, op);
        foreach (var (name, values) in attributes)
        {
            var attribute = new ProtobufWriter().Add(1, name);
            // One number is an INT in the operators used here, several are INTS.
            if (values is [var single]) attribute.Add(3, single).Add(20, Int);
            else
            {
                foreach (var value in values) attribute.Add(8, value);
                attribute.Add(20, Ints);
            }
            node.Add(5, attribute);
        }
        graph.Add(1, node);
        return this;
    }

    /// <summary>A constant: its name.</summary>
    internal string Constant(Tensor values) =>
        Constant(Float, [.. values.Shape.Sizes.ToArray().Select(size => (long)size)],
            MemoryMarshal.AsBytes<float>(values.ToArray<float>()));

    internal string Constant(params long[] values) =>
        Constant(Int64, [values.Length], MemoryMarshal.AsBytes<long>(values));

    internal void Save(string path, ReadOnlySpan<int> input, ReadOnlySpan<int> output)
    {
        // The last value is the output: an Identity gives it its name.
        graph.Add(1, new ProtobufWriter().Add(1, Last).Add(2, "y").Add(4, "Identity"));
        graph.Add(11, Value("x", input)).Add(12, Value("y", output));
        var operators = new ProtobufWriter().Add(1, "").Add(2, OpSet);
        var model = new ProtobufWriter().Add(1, IrVersion).Add(7, graph).Add(8, operators);
        File.WriteAllBytes(path, model.ToArray());
    }

    private string Constant(int type, long[] dims, ReadOnlySpan<byte> raw)
    {
        var (tensor, name) = (new ProtobufWriter(), Fresh());
        foreach (var dim in dims) tensor.Add(1, dim);
        graph.Add(5, tensor.Add(2, type).Add(8, name).Add(9, raw));
        return name;
    }

    private static ProtobufWriter Value(string name, ReadOnlySpan<int> sizes)
    {
        var shape = new ProtobufWriter();
        foreach (var size in sizes) shape.Add(1, new ProtobufWriter().Add(1, size));
        var tensor = new ProtobufWriter().Add(1, Float).Add(2, shape);
        return new ProtobufWriter().Add(1, name).Add(2, new ProtobufWriter().Add(1, tensor));
    }

    private string Fresh() => $"v{names++}";
}
