using Adjoint.Kernels;

namespace Adjoint;

/// <summary>One operation of a backend with its operands: can be run, timed, and run again.</summary>
/// <param name="name">The operation.</param>
/// <param name="operands">What it reads, then what it writes; null where an optional one is left out.</param>
/// <param name="outputs">How many of the last operands it writes.</param>
internal abstract class Command(string name, Tensor?[] operands, int outputs = 1)
{
    internal string Name => name;

    /// <summary>Inputs, then outputs. A replay puts other tensors over the same memory here.</summary>
    internal Tensor?[] Operands => operands;

    internal int Outputs => outputs;

    /// <summary>Floating-point operations, where they are what counts: matrix products.</summary>
    internal virtual double Flops => 0;

    /// <summary>Bytes read and written at the least.</summary>
    internal double Bytes => operands.Sum(operand => operand is null ? 0.0 : (double)Math.Min(operand.Length, operand.Storage.ByteLength / operand.DType.Size()) * operand.DType.Size());

    internal abstract void Run(Backend backend);

    /// <summary>The operand at a position, where there must be one.</summary>
    protected Tensor At(int index) => operands[index]!;
}

/// <summary>y = f(x…), element by element.</summary>
internal abstract class ElementwiseCommand(string name, params Tensor?[] operands) : Command(name, operands)
{
    /// <summary>Over part of the elements: pointers to the inputs' and the output's, in order.</summary>
    internal abstract unsafe void RunBlock(void** at, int count, bool isSingle);
}

internal sealed class MapCommand<TLane>(TLane lane, Tensor x, Tensor y) : ElementwiseCommand("Map", x, y) where TLane : struct, IUnaryLane
{
    internal override void Run(Backend backend) => backend.Map(lane, At(0), At(1));

    internal override unsafe void RunBlock(void** at, int count, bool isSingle)
    {
        if (isSingle) Map.Run(lane, (float*)at[0], (float*)at[1], count);
        else Map.Run(lane, (double*)at[0], (double*)at[1], count);
    }
}

internal sealed class ZipCommand<TLane>(TLane lane, Tensor x, Tensor y, Tensor z) : ElementwiseCommand("Zip", x, y, z) where TLane : struct, IBinaryLane
{
    internal override void Run(Backend backend) => backend.Zip(lane, At(0), At(1), At(2));

    internal override unsafe void RunBlock(void** at, int count, bool isSingle)
    {
        if (isSingle) Zip.Run(lane, (float*)at[0], (float*)at[1], (float*)at[2], count);
        else Zip.Run(lane, (double*)at[0], (double*)at[1], (double*)at[2], count);
    }
}

internal sealed class Zip3Command<TLane>(TLane lane, Tensor x, Tensor y, Tensor z, Tensor w) : ElementwiseCommand("Zip3", x, y, z, w) where TLane : struct, ITernaryLane
{
    internal override void Run(Backend backend) => backend.Zip(lane, At(0), At(1), At(2), At(3));

    internal override unsafe void RunBlock(void** at, int count, bool isSingle)
    {
        if (isSingle) Zip3.Run(lane, (float*)at[0], (float*)at[1], (float*)at[2], (float*)at[3], count);
        else Zip3.Run(lane, (double*)at[0], (double*)at[1], (double*)at[2], (double*)at[3], count);
    }
}

internal sealed class CopyCommand(Tensor x, Tensor y) : ElementwiseCommand("Copy", x, y)
{
    internal override void Run(Backend backend) => backend.Copy(At(0), At(1));

    internal override unsafe void RunBlock(void** at, int count, bool isSingle) =>
        Buffer.MemoryCopy(at[0], at[1], (long)count * (isSingle ? 4 : 8), (long)count * (isSingle ? 4 : 8));
}

internal sealed class ClearCommand(Tensor y) : Command("Clear", [y])
{
    internal override void Run(Backend backend) => backend.Clear(At(0));
}

internal sealed class ScatterCommand(Tensor x, Tensor y) : Command("Scatter", [x, y])
{
    internal override void Run(Backend backend) => backend.Scatter(At(0), At(1));
}

internal sealed class ReduceCommand<TLane>(TLane lane, Tensor x, bool[] reduced, Tensor y) : Command("Reduce", [x, y]) where TLane : struct, IReduceLane
{
    internal override void Run(Backend backend) => backend.Reduce(lane, At(0), reduced, At(1));
}

internal sealed class MatMulCommand<TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c) : Command("MatMul", [a, b, bias, c]) where TLane : struct, IUnaryLane
{
    internal override double Flops => 2.0 * At(3).Length * At(0).Shape[-1];

    internal override void Run(Backend backend) => backend.MatMul(At(0), At(1), Operands[2], activation, At(3));
}

internal sealed class SoftmaxCommand(Tensor x, Tensor y, bool logarithm) : Command(logarithm ? "LogSoftmax" : "Softmax", [x, y])
{
    internal override void Run(Backend backend)
    {
        if (logarithm) backend.LogSoftmax(At(0), At(1));
        else backend.Softmax(At(0), At(1));
    }
}

internal sealed class CrossEntropyCommand(
    Tensor logits, Tensor labels, double smoothing, Tensor losses, Tensor? gradient, double scale)
    : Command("SoftmaxCrossEntropy", [logits, labels, losses, gradient], outputs: 2)
{
    internal override void Run(Backend backend) =>
        backend.SoftmaxCrossEntropy(At(0), At(1), smoothing, At(2), Operands[3], scale);
}
