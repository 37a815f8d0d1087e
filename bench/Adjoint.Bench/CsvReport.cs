using System.Diagnostics;
using System.Globalization;
using Adjoint.Formats;

namespace Adjoint.Bench;

/// <summary>
/// How fast a CSV file of 1,000,000 rows and 20 columns is read: numbers with and without fractions, two columns of
/// categories, one of dates, one of truth values, one with gaps. Beside it the same file as bytes alone, and what the
/// process holds at most while it goes through the file in parts.
/// </summary>
internal static class CsvReport
{
    private const int Rows = 1_000_000;
    private const int Rounds = 5;
    private static readonly string[] Makers = ["BMW", "Opel", "Audi", "Tesla", "Fiat", "Volvo"];

    internal static int Run()
    {
        var path = Path.GetTempFileName();
        try
        {
            Write(path);
            var megabytes = new FileInfo(path).Length / 1e6;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Rows:N0} rows, {megabytes:N0} MB, best and median of {Rounds}"));
            Console.WriteLine("| work | seconds | MB/s, best | MB/s, median | CPU seconds |");
            Console.WriteLine("|---|---|---|---|---|");
            Measure("bytes alone", megabytes, () => File.ReadAllBytes(path));
            Measure("CsvFile.Read", megabytes, () => CsvFile.Read(path));
            Measure("CsvFile.Profile", megabytes, () => CsvFile.Profile(path));
            GC.Collect();
            var (before, most) = (GC.GetTotalMemory(forceFullCollection: true), 0L);
            foreach (var _ in CsvFile.ReadChunks(path))
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false) - before);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"ReadChunks holds at most {most / 1e6:N0} MB, what waits for collection among it"));
        }
        finally
        {
            File.Delete(path);
        }
        return 0;
    }

    private static void Measure(string name, double megabytes, Func<object> work)
    {
        work();
        var (seconds, processor) = (new double[Rounds], new double[Rounds]);
        for (var round = 0; round < Rounds; round++)
        {
            GC.Collect();
            var (start, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            GC.KeepAlive(work());
            seconds[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            // Of all threads: what is left where other programs are at work, too.
            processor[round] = (Environment.CpuUsage.TotalTime - used).TotalSeconds;
        }
        Array.Sort(seconds);
        Array.Sort(processor);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {seconds[0]:0.00} | "
            + $"{megabytes / seconds[0]:N0} | {megabytes / seconds[Rounds / 2]:N0} | {processor[0]:0.00} |"));
    }

    private static void Write(string path)
    {
        var random = new Random(1);
        using var file = new StreamWriter(path);
        file.WriteLine(string.Join(',', Enumerable.Range(0, 20).Select(column => $"c{column}")));
        for (var row = 0; row < Rows; row++)
        {
            var fields = Enumerable.Range(0, 20).Select(column => column switch
            {
                < 10 => (random.NextDouble() * 1000).ToString("F4", CultureInfo.InvariantCulture),
                < 15 => random.Next(100_000).ToString(CultureInfo.InvariantCulture),
                < 17 => Makers[random.Next(Makers.Length)],
                17 => new DateTime(2000, 1, 1).AddDays(random.Next(9000))
                    .ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                18 => random.Next(2) == 0 ? "0" : "1",
                _ => random.Next(50) == 0 ? "" : random.NextDouble().ToString("R", CultureInfo.InvariantCulture),
            });
            file.WriteLine(string.Join(',', fields));
        }
    }
}
