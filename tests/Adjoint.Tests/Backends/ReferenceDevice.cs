using System.Runtime.InteropServices;
using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Tests.Backends;

/// <summary>
/// A device with memory of its own and a few primitives, each written out by plain loops in float64: shows that what
/// runs elsewhere needs nothing of the CPU's backend.
/// </summary>
internal sealed class ReferenceDevice : Backend
{
    internal static readonly ReferenceDevice First = new("reference 1"), Second = new("reference 2");

    private ReferenceDevice(string name)
    {
        Name = name;
        Register<Fill>((in p, o) => Write(o[0]!, Enumerable.Repeat(p.Value.Value, o[0]!.Length).ToArray()));
        Register<Copy>((in _, o) => Write(o[1]!, Read(o[0]!)));
        Register<Zip<AddOp.Operator>>((in _, o) => Write(o[2]!, Pairs(o, (a, b) => a + b)));
        Register<Zip<MultiplyOp.Operator>>((in _, o) => Write(o[2]!, Pairs(o, (a, b) => a * b)));
        Register<Zip<Accumulate.Operator>>((in _, o) => Write(o[2]!, Pairs(o, (a, b) => a + b)));
        Register<Reduce<SumOperator>>((in _, o) => Write(o[1]!, [Read(o[0]!).Sum()]));
        Register<MatMul<NoActivation>>((in _, o) => Write(o[3]!, Product(o[0]!, o[1]!)));
    }

    public override string Name { get; }

    /// <summary>How many buffers were taken.</summary>
    internal int Allocated { get; private set; }

    protected internal override DeviceBuffer Allocate(int byteLength)
    {
        Allocated++;
        return new Bytes(byteLength);
    }

    private static double[] Pairs(ReadOnlySpan<Tensor?> operands, Func<double, double, double> function)
    {
        var shape = operands[2]!.Shape;
        Assert.All(operands.ToArray(), operand => Assert.Equal(shape, operand!.Shape));
        return [.. Read(operands[0]!).Zip(Read(operands[1]!), function)];
    }

    private static double[] Product(Tensor a, Tensor b)
    {
        var (x, y, m, k, n) = (Read(a), Read(b), a.Shape[0], a.Shape[1], b.Shape[1]);
        return [.. from i in Enumerable.Range(0, m) from j in Enumerable.Range(0, n)
                   select Enumerable.Range(0, k).Sum(l => x[i * k + l] * y[l * n + j])];
    }

    // In row-major order, whatever the layout.
    private static double[] Read(Tensor x)
    {
        var all = Elements(x);
        var result = new double[x.Length];
        for (var i = 0; i < result.Length; i++)
        {
            nint at = 0;
            for (int axis = x.Rank - 1, rest = i; axis >= 0; rest /= x.Shape[axis], axis--)
                at += rest % x.Shape[axis] * x.Strides[axis];
            result[i] = all[(int)at];
        }
        return result;
    }

    private static void Write(Tensor y, double[] values)
    {
        Assert.True(y.IsContiguous);
        var to = Elements(y)[..y.Length];
        for (var i = 0; i < values.Length; i++) to[i] = (float)values[i];
    }

    // From its first on.
    private static Span<float> Elements(Tensor x)
    {
        Assert.Equal(DType.Float32, x.DType);
        var (buffer, offset) = MemoryOf(x);
        return MemoryMarshal.Cast<byte, float>(((Bytes)buffer).Memory.AsSpan())[offset..];
    }

    private sealed class Bytes(int length) : DeviceBuffer
    {
        internal byte[] Memory { get; } = new byte[length];

        public override void CopyTo(Span<byte> host) => Memory.CopyTo(host);

        public override void CopyFrom(ReadOnlySpan<byte> host) => host.CopyTo(Memory);
    }
}
