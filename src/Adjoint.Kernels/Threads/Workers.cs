using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Work that comes in numbered pieces which do not touch each other's results.</summary>
public interface IChunkJob
{
    /// <summary>Does piece number <paramref name="chunk"/>.</summary>
    void Run(int chunk);
}

/// <summary>
/// The library's own threads: they spin briefly for the next job, then park. The caller takes part. How work is cut into
/// chunks never depends on the number of threads, so results do not either.
/// </summary>
public static unsafe class Workers
{
    private const int SpinIterations = 2000;
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
    private static Exception? failure;

    /// <summary>How many threads, the caller included, take part: at first ADJOINT_THREADS, else the processors of this process.</summary>
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
            Share(chunks, &Invoke<TJob>, Unsafe.AsPointer(ref job));
        }
        finally
        {
            insideJob = false;
            Gate.Exit();
        }
    }

    private static void Invoke<TJob>(void* job, int chunk) where TJob : struct, IChunkJob => Unsafe.AsRef<TJob>(job).Run(chunk);

    private static void Share(int chunks, delegate*<void*, int, void> run, void* context)
    {
        var helpers = Math.Min(threadCount, chunks) - 1;
        while (Threads.Count < helpers) Threads.Add(new Worker(Threads.Count + 1));
        invoke = run;
        job = context;
        (chunkCount, nextChunk, failure) = (chunks, 0, null);
        Volatile.Write(ref stillWorking, helpers);
        for (var i = 0; i < helpers; i++) Threads[i].Wake();
        TakeChunks();
        var spin = new SpinWait();
        while (Volatile.Read(ref stillWorking) > 0) spin.SpinOnce(sleep1Threshold: -1);
        if (failure is { } error) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
    }

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
        int.TryParse(Environment.GetEnvironmentVariable("ADJOINT_THREADS"), out var wanted) && wanted is >= 1 and <= 1024 ? wanted : Environment.ProcessorCount;

    private sealed class Worker
    {
        private readonly ManualResetEventSlim signal = new(false, SpinIterations);

        internal Worker(int number) => new Thread(Loop, maxStackSize: 1 << 20) { IsBackground = true, Name = $"Adjoint worker {number}" }.Start();

        internal void Wake() => signal.Set();

        private void Loop()
        {
            insideJob = true;
            while (true)
            {
                signal.Wait();
                signal.Reset();
                TakeChunks();
                Interlocked.Decrement(ref stillWorking);
            }
        }
    }
}
