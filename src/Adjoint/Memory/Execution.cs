using System.Runtime.CompilerServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What is ambient on a thread: all that decides, besides its arguments, what a call does. Each layer declares its
/// part. What computes many times looks the object up once and hands it down.
/// </summary>
internal sealed partial class Execution
{
    [ThreadStatic] private static Execution? current;

    /// <summary>This thread's.</summary>
    internal static Execution Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => current ?? Begin();
    }

    /// <summary>The buffers of the step that records on this thread.</summary>
    internal Arena? Arena { get; set; }

    /// <summary>Whether this thread records, also while it takes memory that is none of the recording's.</summary>
    internal bool IsRecording { get; set; }

    /// <summary>Where memory is taken; null: on the CPU.</summary>
    internal Device? Device { get; set; }

    /// <summary>Takes memory on a device until it is told what this returns.</summary>
    internal Device? Enter(Device device)
    {
        var before = Device;
        Device = device == Adjoint.Device.Cpu ? null : device;
        return before;
    }

    /// <summary>What may be allocated for a module that is made again from a file; null: no limit.</summary>
    internal MemoryBudget? Budget { get; set; }

    /// <summary>Where storages that are allocated are listed.</summary>
    internal List<Storage>? Allocated { get; set; }

    /// <summary>Who is told of what is allocated, and of what the program writes.</summary>
    internal IStorageWatcher? StorageWatcher { get; set; }

    /// <summary>What the graph that was used up last leaves to be recycled.</summary>
    internal LastGeneration LastGeneration;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Execution Begin() => current = new();
}
