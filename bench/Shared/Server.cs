using System.Diagnostics;
using System.Globalization;

namespace Adjoint.Bench;

/// <summary>One library that does the benchmark's work, in a process of its own.</summary>
internal interface ISide
{
    /// <summary>The library's name and version, one line.</summary>
    string Version { get; }

    /// <summary>How many threads the library is to use from now on.</summary>
    void Use(int threads);

    /// <summary>Sets a workload up; the action is one repetition. Null: the library has no such work.</summary>
    Action? Create(string workload);
}

/// <summary>
/// The protocol between <c>versus</c> and a side, in lines: the side begins with <c>ready VERSION</c> or
/// <c>failed WHY</c>; then each request <c>WORKLOAD THREADS REPETITIONS</c> is answered with milliseconds per
/// repetition, <c>unknown</c>, or <c>failed WHY</c>. The side ends when its input does.
/// </summary>
internal static class Server
{
    internal static int Run(Func<ISide> open)
    {
        ISide side;
        try
        {
            side = open();
            Console.WriteLine($"ready {side.Version}");
        }
        catch (Exception error)
        {
            Console.WriteLine(Failed(error));
            return 1;
        }

        // Only the workload in use stays in memory.
        var (current, work, last) = ("", (Action?)null, 0.0);
        while (Console.ReadLine() is { } line)
        {
            try
            {
                var request = line.Split(' ');
                var (threads, repetitions) = (Number(request[1]), Number(request[2]));
                side.Use(threads);
                if (request[0] != current)
                {
                    (current, work, last) = (request[0], null, 0);
                    GC.Collect();
                    work = side.Create(request[0]);
                }
                if (work is null)
                {
                    Console.WriteLine("unknown");
                    continue;
                }
                // What takes long needs to warm up but once.
                if (last < 200) work();
                last = Milliseconds(work, repetitions);
                Console.WriteLine(last.ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception error)
            {
                current = "";
                Console.WriteLine(Failed(error));
            }
        }
        return 0;
    }

    private static double Milliseconds(Action work, int repetitions)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repetitions; i++) work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / repetitions;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Failed(Exception error) => $"failed {error.Message.ReplaceLineEndings(" ")}";
}
