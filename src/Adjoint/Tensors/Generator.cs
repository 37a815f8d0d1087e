using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Adjoint.Kernels;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// A stream of random numbers: Philox4x32-10 (Salmon et al. 2011), counter-based, so that any thread can compute any
/// element and the numbers do not depend on the number of threads. The whole state is <see cref="Seed"/>,
/// <see cref="Stream"/> and <see cref="Position"/>. Threads may share one: no number is drawn twice, but which thread
/// gets which is undetermined, so give each independent piece of work its own <see cref="Fork"/>.
/// </summary>
/// <remarks>
/// A captured function continues the stream each time it runs, as the eager one does. A generator created inside the
/// function is refused there: the eager function would draw the same numbers each time.
/// </remarks>
public sealed class Generator
{
    /// <summary>Elements of <see cref="State"/>: seed, stream and position, the bits of unsigned numbers.</summary>
    internal const int StateLength = 3;

    private static Generator shared = new(0);

    /// <summary>Creates a stream at position 0.</summary>
    /// <param name="seed">The seed; equal seeds and streams give equal numbers.</param>
    /// <param name="stream">Which of the seed's 2⁶⁴ independent streams.</param>
    public Generator(ulong seed, ulong stream = 0) => State = Tensor.From([(long)seed, (long)stream, 0L]).Keep();

    /// <summary>
    /// The stream for calls that name none: one for the whole process, seeded with 0 unless replaced.
    /// </summary>
    public static Generator Default
    {
        get
        {
            var found = Volatile.Read(ref shared);
            if (Execution.Current.Arena is { } recording) AssumeDefault(recording, found);
            return found;
        }
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref shared, value);
        }
    }

    /// <summary>The seed that the stream was created with.</summary>
    public ulong Seed => KeyOf(State).Seed;

    /// <summary>Which of the 2⁶⁴ independent streams of the seed this is.</summary>
    public ulong Stream => KeyOf(State).Stream;

    /// <summary>How many numbers have been drawn; each draw begins at a multiple of 8.</summary>
    public ulong Position
    {
        get
        {
            Execution.Current.Arena?.NoteRead(State.Storage);
            return Volatile.Read(ref PositionOf(State));
        }
        set
        {
            Execution.Current.Arena?.CheckWrite(State.Storage, $"{nameof(Generator)}.{nameof(Position)}");
            Volatile.Write(ref PositionOf(State), value);
            State.BumpVersion();
        }
    }

    /// <summary>Seed, stream and position, where primitives draw from.</summary>
    internal Tensor State { get; }

    /// <summary>An independent stream of the same seed, by number.</summary>
    /// <param name="stream">Which of the seed's streams; another than this one's.</param>
    /// <returns>A generator at position 0 of that stream.</returns>
    public Generator Fork(ulong stream) => new(Seed, Stream * 0x9E3779B97F4A7C15 + stream + 1);

    /// <summary>A random order of the integers from 0 to <paramref name="count"/> − 1.</summary>
    /// <param name="count">How many integers, 0 or more.</param>
    /// <returns>Each of the integers once.</returns>
    /// <exception cref="AdjointException">
    /// The count is negative, or more than an array holds; or a step is being captured, which could not repeat it.
    /// </exception>
    public int[] Permutation(int count)
    {
        if (count < 0 || count > Array.MaxLength)
            throw new AdjointException($"Permutation: a count from 0 to {Array.MaxLength} is needed: found {count}");
        Arena.RefuseWithin(
            "Permutation hands random numbers to the program, and a replay would repeat them; draw the order outside");
        var order = new int[count];
        // A permutation draws from a stream of its own, so that its length does not shift what follows.
        Philox.Permutation(Seed, Stream ^ (0xA5A5_0000_0000_0000 + Advance(State, 1)), order);
        State.BumpVersion();
        return order;
    }

    /// <summary>What a state draws by, whatever its position.</summary>
    internal static (ulong Seed, ulong Stream) KeyOf(Tensor state)
    {
        var numbers = state.Data<long>();
        return ((ulong)numbers[0], (ulong)numbers[1]);
    }

    /// <summary>Moves a state on by what so many numbers take; returns where they begin.</summary>
    internal static ulong Advance(Tensor state, int count)
    {
        var whole = Whole(count);
        return Interlocked.Add(ref PositionOf(state), whole) - whole;
    }

    /// <summary>Moves a state back to where it was before draws, unless others have drawn from it, too.</summary>
    /// <param name="state">The state.</param>
    /// <param name="before">Its bytes before them.</param>
    /// <param name="counts">How many numbers each of them took.</param>
    internal static void Undo(Tensor state, ReadOnlySpan<byte> before, IEnumerable<int> counts)
    {
        var position = MemoryMarshal.Cast<byte, ulong>(before)[2];
        var drawn = counts.Aggregate(0UL, (sum, count) => sum + Whole(count));
        Interlocked.CompareExchange(ref PositionOf(state), position, position + drawn);
    }

    private static void AssumeDefault(Arena recording, Generator found) =>
        recording.Assume(() => ReferenceEquals(Volatile.Read(ref shared), found), "Generator.Default");

    // Each draw starts at a multiple of 8, whole counters of every distribution and type.
    private static ulong Whole(int count) => ((ulong)count + 7) / 8 * 8;

    private static ref ulong PositionOf(Tensor state) => ref Unsafe.As<long, ulong>(ref state.Data<long>()[2]);
}
