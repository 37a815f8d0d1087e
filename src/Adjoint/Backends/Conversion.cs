using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Gives tensors another element type, or moves them, in place: they stay the same objects, over other memory. Those
/// that share memory share it afterwards too.
/// </summary>
internal static class Conversion
{
    /// <summary>Converts what is floating, and moves all; all of them or, where one is refused, none.</summary>
    /// <param name="tensors">Leaves.</param>
    /// <param name="floating">The type of those whose type is floating; null leaves it.</param>
    /// <param name="device">Where they are to lie; null leaves them.</param>
    /// <exception cref="AdjointException">
    /// The new memory cannot be had, or the device does not convert.
    /// </exception>
    internal static void Run(IEnumerable<Tensor> tensors, DType? floating, Device? device)
    {
        var execution = Execution.Current;
        // Not part of a function that is being captured, which would convert again each time.
        var arena = execution.Arena;
        execution.Arena = null;
        try
        {
            var changes = new List<(Tensor[] Tensors, Tensor Memory)>();
            foreach (var sharing in tensors.Distinct().GroupBy(tensor => tensor.Storage))
            {
                var (storage, type) = (sharing.Key, sharing.First().DType);
                var whole = new Tensor(storage, (int[])[storage.ByteLength / type.Size()], type);
                var to = type.IsFloating() && floating is { } wanted ? wanted : type;
                var memory = Move(Cast(whole, to), device ?? storage.Device);
                if (memory != whole) changes.Add(([.. sharing], memory));
            }
            foreach (var (sharing, memory) in changes)
            {
                var before = sharing[0].Storage;
                foreach (var tensor in sharing) tensor.Become(memory);
                // Graphs that saved the old values, and plans that look at them, see that they are out of date.
                memory.Storage.Version = ++before.Version;
                before.IsStale = true;
            }
        }
        finally
        {
            execution.Arena = arena;
        }
    }

    /// <summary>
    /// Gives what is kept for another tensor that one's place, and the type that is computed in with it.
    /// </summary>
    internal static void Follow(Tensor tensor, Tensor other)
    {
        var type = other.DType.Computing();
        if (tensor.DType != type || tensor.Device != other.Device) Run([tensor], type, other.Device);
    }

    private static Tensor Cast(Tensor x, DType to)
    {
        if (to == x.DType) return x;
        var y = Tensor.Empty(x.Shape, to, x.Device);
        Backend.Dispatch(new Cast(), [x, y]);
        return y;
    }

    private static Tensor Move(Tensor x, Device to)
    {
        if (to == x.Device) return x;
        var y = Tensor.Empty(x.Shape, x.DType, to);
        Transfer.Run(x, y);
        return y;
    }
}
