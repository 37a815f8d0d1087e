using System.Diagnostics;
using System.Globalization;
using Adjoint.Fuzz;

// dotnet run -c Release --project tests/Adjoint.Fuzz -- [TARGET…] [--seconds N] [--seed S] [--runs N]
// --list names the targets. With --runs and without --seconds, a target takes as long as it needs.
// Each execution has a seed of its own: `TARGET --seed S --runs 1` repeats one.
const string usage = "fuzz [TARGET ...] [--seconds N] [--seed S] [--runs N]";
var names = new List<string>();
double? seconds = null;
long runs = long.MaxValue;
var seed = (ulong)DateTime.UtcNow.Ticks;
for (var i = 0; i < args.Length; i++)
    switch (args[i])
    {
        case "--seconds" when i + 1 < args.Length:
            seconds = double.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--seed" when i + 1 < args.Length: seed = ulong.Parse(args[++i], CultureInfo.InvariantCulture); break;
        case "--runs" when i + 1 < args.Length: runs = long.Parse(args[++i], CultureInfo.InvariantCulture); break;
        case "--list":
            foreach (var target in FuzzTarget.All) Console.WriteLine(target.Name);
            return 0;
        case var name when FuzzTarget.All.Any(target => target.Name == name): names.Add(name); break;
        default:
            Console.Error.WriteLine($"{args[i]}: unknown; usage: {usage}; targets: "
                + string.Join(", ", FuzzTarget.All.Select(target => target.Name)));
            return 2;
    }

var most = seconds ?? (runs == long.MaxValue ? 10 : double.PositiveInfinity);
CanaryCheck.Run();
var failures = 0;
foreach (var target in FuzzTarget.All.Where(target => names.Count == 0 || names.Contains(target.Name)))
{
    // What one target leaves behind is not what the next has to do without: memory is bounded.
    Adjoint.TensorMemory.Trim();
    GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    GC.WaitForPendingFinalizers();
    var watch = Stopwatch.StartNew();
    long executions = 0;
    var found = 0;
    for (; executions < runs && watch.Elapsed.TotalSeconds < most && found < 5; executions++)
    {
        var own = seed + (ulong)executions;
        try
        {
            target.Run(new FuzzRandom(own));
        }
        catch (Exception error)
        {
            found++;
            Console.Error.WriteLine($"── {target.Name} --seed {own} --runs 1\n{error}\n");
        }
    }
    failures += found;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{target.Name}: {executions} executions in {watch.Elapsed.TotalSeconds:0.0} s "
        + $"({executions / watch.Elapsed.TotalSeconds:0}/s) from seed {seed}, {found} findings"));
}
return failures == 0 ? 0 : 1;
