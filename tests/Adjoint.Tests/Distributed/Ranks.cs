using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Ranks as threads of the test: what each does, and how each ends.</summary>
internal static class Ranks
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(0.5);

    // Where nobody is to fail: a busy machine is no failure.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Runs a program on all ranks, and gives what each returns.</summary>
    /// <exception cref="AggregateException">Ranks failed.</exception>
    public static T[] Run<T>(int ranks, Func<Communicator, T> program, TimeSpan? timeout = null)
    {
        var results = new T[ranks];
        var errors = Failures(ranks, rank => results[rank.Rank] = program(rank), timeout ?? Patience);
        return errors.Any(error => error is not null)
            ? throw new AggregateException(errors.OfType<Exception>())
            : results;
    }

    /// <summary>Runs a program on all ranks, and gives the exception with which each ends; null: none.</summary>
    /// <param name="ranks">The number of ranks.</param>
    /// <param name="program">What each does.</param>
    /// <param name="timeout">The timeout of the communicators.</param>
    /// <param name="prepare">Sees the transports first.</param>
    public static Exception?[] Failures(
        int ranks, Action<Communicator> program, TimeSpan? timeout = null, Action<LocalTransport[]>? prepare = null)
    {
        var errors = new Exception?[ranks];
        var transports = LocalTransport.Create(ranks, rank => ((char)('a' + rank)).ToString());
        prepare?.Invoke(transports);
        var threads = transports.Select(transport => new Thread(() =>
        {
            try
            {
                // It may find the world broken by a rank that was faster.
                using var communicator = new Communicator(transport, new() { Timeout = timeout ?? Timeout });
                try
                {
                    program(communicator);
                }
                catch (Exception error)
                {
                    errors[transport.Rank] = error;
                    communicator.Fail(error);
                }
            }
            catch (RankFailureException error)
            {
                errors[transport.Rank] = error;
            }
        })
        { IsBackground = true }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads)
            Assert.True(thread.Join(TimeSpan.FromSeconds(20)), "a rank hangs");
        return errors;
    }
}
