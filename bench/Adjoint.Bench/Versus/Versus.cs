using System.Globalization;

namespace Adjoint.Bench;

/// <summary>Ours against other libraries, and against ours of another commit.</summary>
internal static class Versus
{
    internal static int Run(string[] args)
    {
        if (args.Contains("--help"))
        {
            Console.WriteLine(VersusOptions.Usage);
            return 0;
        }
        try
        {
            var options = VersusOptions.Parse(args);
            var works = Chosen(options.Only);
            // Looked for before the work, which takes minutes.
            var folder = options.Results ? options.Folder ?? ResultsFolder() : null;
            var report = Measure(options, works, args);
            Console.Write(options.Json ? JsonReport.Text(report) : MarkdownReport.Page(report));
            if (folder is not null) Write(folder, options.Name, report);
            return 0;
        }
        catch (ArgumentException error)
        {
            Console.Error.WriteLine($"versus: {error.Message}\n\n{VersusOptions.Usage}");
            return 2;
        }
        catch (PeerException error)
        {
            Console.Error.WriteLine($"versus: {error.Message}");
            return 1;
        }
    }

    private static Workload[] Chosen(string[]? beginnings)
    {
        bool IsChosen(Workload work) =>
            beginnings is null || beginnings.Any(text => work.Name.StartsWith(text, StringComparison.Ordinal));
        var works = Workloads.All.Where(IsChosen).ToArray();
        return works.Length > 0 ? works : throw new ArgumentException($"""
            --only: no workload begins with {string.Join(" or ", beginnings!)}; there are
            {string.Join(' ', Workloads.All.Select(work => work.Name))}
            """);
    }

    private static Report Measure(VersusOptions options, IReadOnlyList<Workload> works, string[] args)
    {
        var models = Directory.CreateTempSubdirectory("adjoint-bench-");
        List<Peer> peers = [];
        try
        {
            peers = Peers.Start(options, works, models.FullName);
            var sides = peers.Select(peer => new Library(peer.Name, peer.Version)).ToArray();
            var sampler = new Sampler(new Probe(), peers, options);
            var (samples, rows) = (new List<Sample>(), new List<Row>());
            foreach (var work in works)
            {
                var taken = sampler.Take(work);
                var found = Row.Of(work, taken);
                foreach (var row in found) Console.Error.WriteLine(MarkdownReport.Progress(row));
                samples.AddRange(taken);
                rows.AddRange(found);
            }
            var date = DateTime.Now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            return new(date, Command(args), Processor.This(), MachineFacts.Of(samples), sides, rows);
        }
        finally
        {
            foreach (var peer in peers) peer.Dispose();
            models.Delete(recursive: true);
        }
    }

    private static void Write(string folder, string name, Report report)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        File.WriteAllText($"{path}.md", MarkdownReport.Page(report));
        File.WriteAllText($"{path}.json", JsonReport.Text(report));
        Console.Error.WriteLine($"wrote {path}.md and {path}.json");
    }

    // Folders are this machine's own; what was built there is said with the sides.
    private static string Command(string[] args)
    {
        bool IsFolder(int i) => args[i - 1] is "--against" or "--torch" or "--onnx" or "--results" && args[i][0] != '-';
        var shown = args.Select((arg, i) => i > 0 && IsFolder(i) ? "…" : arg);
        return $"dotnet run -c Release --project bench/Adjoint.Bench -- versus {string.Join(' ', shown)}".TrimEnd();
    }

    private static string ResultsFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var results = Path.Combine(folder.FullName, "bench", "results");
            if (Directory.Exists(results)) return Path.Combine(results, Processor.This().Folder);
        }
        throw new ArgumentException($"--results: name a folder; no bench/results above {AppContext.BaseDirectory}");
    }
}
