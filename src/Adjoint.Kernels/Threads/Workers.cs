using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Work in numbered chunks that do not touch each other's results.</summary>
public interface IChunkJob
{
    /// <summary>Does chunk number <paramref name="chunk"/>.</summary>
    void Run(int chunk);
}

/// <summary>
/// The library's own threads: they spin briefly for the next job (training hands one over every few microseconds), then
/// park. The caller takes part. How work is cut into chunks never depends on the number of threads, so results do not
/// either.
/// </summary>
public static unsafe class Workers
{
    private static readonly Lock Gate = new();
    private static readonly List<Worker> Threads = [];
    private static int threadCount = DefaultThreadCount();
    [ThreadStatic] private static bool insideJob;

    // The job in progress; written under Gate only.
    private static delegate*<void*, int, void> invoke;
    private static void* job;
    private static int chunkCount;
    private static int nextChunk;
    private static int stillWorking;

    // Number of the job, then in the low bits how many helpers it wants: one word, so that both are read together.
    private static long ticket;
    private const int HelperBits = 16;
    private static Exception? failure;

    /// <summary>
    /// How many threads, the caller included, take part: at first ADJOINT_THREADS, else the processors of this process.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1 or above 1024.</exception>
    public static int ThreadCount
    {
        get => threadCount;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            threadCount = value;
        }
    }

    /// <summary>
    /// Runs chunks 0 … <paramref name="chunks"/> − 1, each once, on any thread. Nested calls, and calls while another
    /// thread's job is in progress, run on the calling thread alone.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void For<TJob>(int chunks, ref TJob job) where TJob : struct, IChunkJob
    {
        if (chunks <= 1 || threadCount == 1 || insideJob || !Gate.TryEnter())
        {
            for (var chunk = 0; chunk < chunks; chunk++) job.Run(chunk);
            return;
        }
        insideJob = true;
        try
        {
            Dispatch(chunks, &Invoke<TJob>, Unsafe.AsPointer(ref job));
        }
        finally
        {
            insideJob = false;
            Gate.Exit();
        }
    }

    private static void Invoke<TJob>(void* job, int chunk) where TJob : struct, IChunkJob =>
        Unsafe.AsRef<TJob>(job).Run(chunk);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dispatch(int chunks, delegate*<void*, int, void> run, void* context)
    {
        var helpers = Math.Min(threadCount, chunks) - 1;
        while (Threads.Count < helpers) Threads.Add(new Worker(Threads.Count + 1));
        invoke = run;
        job = context;
        (chunkCount, nextChunk, failure) = (chunks, 0, null);
        Volatile.Write(ref stillWorking, helpers);
        Interlocked.Exchange(ref ticket, ((ticket >> HelperBits) + 1 << HelperBits) | (long)helpers);
        for (var i = 0; i < helpers; i++) Threads[i].WakeIfParked();
        TakeChunks();
        for (var spins = 0; Volatile.Read(ref stillWorking) > 0; spins++)
            if (spins < Spins) Thread.SpinWait(1);
            else Thread.Yield();
        if (failure is { } error) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeChunks()
    {
        try
        {
            int chunk;
            while ((chunk = Interlocked.Increment(ref nextChunk) - 1) < chunkCount)
                invoke(job, chunk);
        }
        catch (Exception error)
        {
            failure = error;
            Volatile.Write(ref nextChunk, chunkCount);
        }
    }

    private static int DefaultThreadCount() =>
        int.TryParse(Environment.GetEnvironmentVariable("ADJOINT_THREADS"), out var wanted) && wanted is >= 1
            and <= 1024 ? wanted : Environment.ProcessorCount;

    // About 50 µs. With more threads than processors, spinning would keep others from working.
    private static int Spins => threadCount <= Environment.ProcessorCount ? 2_000 : 0;

    private sealed class Worker
    {
        private readonly int number;
        private readonly ManualResetEventSlim signal = new(false, spinCount: 0);
        private int parked;

        internal Worker(int number)
        {
            this.number = number;
            new Thread(Loop, maxStackSize: 1 << 20) { IsBackground = true, Name = $"Adjoint worker {number}" }.Start();
        }

        internal void WakeIfParked()
        {
            if (Interlocked.CompareExchange(ref parked, 0, 1) == 1) signal.Set();
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Loop()
        {
            insideJob = true;
            long seen = 0;
            while (true)
            {
                var next = Await(seen);
                seen = next;
                if (number > (next & ((1 << HelperBits) - 1))) continue;
                TakeChunks();
                Interlocked.Decrement(ref stillWorking);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private long Await(long seen)
        {
            while (true)
            {
                for (var spin = Spins; spin >= 0; spin--)
                {
                    var now = Volatile.Read(ref ticket);
                    if (now != seen) return now;
                    Thread.SpinWait(1);
                }
                Interlocked.Exchange(ref parked, 1);
                // A job that came before the mark is seen here; one that comes after sees the mark.
                if (Volatile.Read(ref ticket) == seen) signal.Wait();
                signal.Reset();
                Volatile.Write(ref parked, 0);
            }
        }
    }
}
