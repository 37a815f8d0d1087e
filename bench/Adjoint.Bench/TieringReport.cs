using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Bench;

/// <summary>
/// What a process with tiered compilation, the default of .NET, pays for it: each work in a process of its own, once
/// without tiers, as the tool runs, and once with each of the settings below.
/// </summary>
internal static unsafe partial class TieringReport
{
    private const int ThreadClock = 3;
    private const int Epochs = 4;

    // The environment has the last word on what bench's own runtimeconfig.json says.
    private static readonly (string Name, string Variables)[] Settings =
    [
        ("without tiers", "TieredCompilation=0"),
        ("default", "TieredCompilation=1 TieredPGO=1"),
        ("no profiles", "TieredCompilation=1 TieredPGO=0"),
        ("loops at once", "TieredCompilation=1 TieredPGO=1 TC_QuickJitForLoops=0"),
    ];

    /// <param name="arguments">
    /// Nothing for all; <c>ops</c> or networks, perhaps after a number of rounds; with <c>--here</c> in this process.
    /// </param>
    internal static int Run(string[] arguments)
    {
        if (arguments is ["--here", "ops"]) return MeasureOps();
        if (arguments is ["--here", var network]) return MeasureTraining(network);
        var rounds = 3;
        if (arguments is [var first, ..] && int.TryParse(first, CultureInfo.InvariantCulture, out var given))
            (rounds, arguments) = (given, arguments[1..]);
        string[] works = arguments is [] ? [.. Trainings.All.Keys, "ops"] : arguments;
        foreach (var work in works)
            if (work == "ops") ReportOps(rounds);
            else ReportTraining(work, rounds);
        return 0;
    }

    private static void ReportTraining(string network, int rounds)
    {
        var samples = Alternate(network, rounds, Settings);
        Console.WriteLine($"| {network} | start to end of first step ms | first step ms "
            + "| a step in the first second ms | "
            + $"in the second ms | {string.Join(" | ", Enumerable.Range(1, Epochs).Select(i => $"epoch {i} s"))} |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", 5 + Epochs))}");
        foreach (var (name, _) in Settings)
            Console.WriteLine($"| {name} | {string.Join(" | ", samples[name].Select(one => Format(one.Value)))} |");
        Console.WriteLine();
    }

    private static void ReportOps(int rounds)
    {
        var samples = Alternate("ops", rounds, Settings);
        Console.WriteLine("| op: first call ms, later ms | "
            + string.Join(" | ", Settings.Select(setting => setting.Name)) + " | times slower, later |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", 2 + Settings.Length))}");
        foreach (var op in samples[Settings[0].Name].Keys.Where(key => !key.EndsWith('1')))
        {
            var columns = Settings.Select(setting =>
                $"{Format(samples[setting.Name][op + " 1"])}, {Format(samples[setting.Name][op])}");
            var ratio = samples[Settings[1].Name][op] / samples[Settings[0].Name][op];
            Console.WriteLine($"| {op} | {string.Join(" | ", columns)} | {Format(ratio)} |");
        }
    }

    // Medians over rounds, of each value by its name; the settings take turns.
    private static Dictionary<string, Dictionary<string, double>> Alternate(
        string work, int rounds, (string Name, string Variables)[] settings)
    {
        var found = settings.ToDictionary(one => one.Name, _ => new Dictionary<string, List<double>>());
        for (var round = 0; round < rounds; round++)
            foreach (var (name, variables) in settings)
                foreach (var line in RunChild(work, variables))
                {
                    var parts = line.Split('\t');
                    if (!found[name].TryGetValue(parts[0], out var list)) found[name][parts[0]] = list = [];
                    list.Add(double.Parse(parts[1], CultureInfo.InvariantCulture));
                }
        return found.ToDictionary(one => one.Key, one => one.Value.ToDictionary(
            value => value.Key, value => value.Value.Order().ElementAt(value.Value.Count / 2)));
    }

    private static string[] RunChild(string work, string variables)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            ArgumentList = { typeof(TieringReport).Assembly.Location, "tiering", "--here", work },
            RedirectStandardOutput = true,
        };
        start.Environment["ADJOINT_THREADS"] = "1";
        foreach (var variable in variables.Split(' '))
            start.Environment["DOTNET_" + variable.Split('=')[0]] = variable.Split('=')[1];
        using var child = Process.Start(start)!;
        var text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"{work} with {variables} failed");
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static int MeasureTraining(string network)
    {
        var trainer = Trainings.All[network]();
        StepTimes times = new();
        trainer.Callbacks.Add(times);
        trainer.Fit(Epochs);
        var process = Process.GetCurrentProcess().StartTime.ToUniversalTime();
        Print("start", (times.Ends[0] - process).TotalMilliseconds);
        Print("first", times.Milliseconds[0]);
        Print("in 1", MeanStep(0, 1));
        Print("in 2", MeanStep(1, 2));
        for (var epoch = 0; epoch < Epochs; epoch++)
            Print($"epoch {epoch + 1}",
                times.Milliseconds.Skip(epoch * Trainings.StepsOfAnEpoch).Take(Trainings.StepsOfAnEpoch).Sum() / 1000);
        return 0;

        double MeanStep(double from, double to)
        {
            var begin = times.Ends[0];
            var range = Enumerable.Range(1, times.Ends.Count - 1).Where(i =>
                (times.Ends[i] - begin).TotalSeconds >= from && (times.Ends[i] - begin).TotalSeconds < to).ToArray();
            return range.Length == 0 ? double.NaN : range.Average(i => times.Milliseconds[i]);
        }
    }

    private static int MeasureOps()
    {
        var x = Tensor.Randn([1024, 1024], new Generator(1));
        var (square, positive) = (Tensor.Randn([1024, 1024], new Generator(2)), (x.Abs() + 0.5).Detach());
        var (row, image) = (Tensor.Randn([1024], new Generator(3)), Tensor.Randn([16, 16, 64, 64], new Generator(4)));
        var heads = Tensor.Randn([4, 8, 128, 64], new Generator(5));
        var labels = Tensor.From([.. Enumerable.Range(0, 1024).Select(i => (long)i)], 1024);
        var kernel = Tensor.Randn([16, 16, 3, 3], new Generator(6));
        var whole = (x * 100).To(DType.Int64);
        var (wide, half) = (x.To(DType.Float64), x.To(DType.BFloat16));
        var lstm = new Lstm(64, 64, generator: new Generator(1));
        var sequence = Tensor.Randn([16, 32, 64], new Generator(7));
        var weight = Tensor.Randn([1024, 1024], new Generator(8)).RequireGrad();
        Dictionary<string, Optimizer> optimizers = new()
        {
            ["sgd"] = new Sgd([weight], 1e-6, momentum: 0.9),
            ["adam"] = new Adam([weight], 1e-6),
            ["rmsprop"] = new RmsProp([weight], 1e-6),
        };
        weight.Square().Sum().Backward();
        (string Name, Func<Tensor, Tensor> Call, Tensor Input)[] ops =
        [
            ("add", a => a + square, x), ("subtract a row", a => a - row, x), ("multiply", a => a * square, x),
            ("divide", a => a / positive, x), ("pow", a => a.Pow(square), positive), ("floor divide", a =>
                a.FloorDivide(positive), x), ("minimum", a => a.Minimum(square), x), ("negate", a => -a, x),
            ("a·x + b", a => a * 3 + 1, x), ("pow 3", a => a.Pow(3), x), ("abs", a => a.Abs(), x),
            ("clamp", a => a.Clamp(-1, 1), x), ("exp", a => a.Exp(), x), ("log", a => a.Log(), positive),
            ("sqrt", a => a.Sqrt(), positive), ("square", a => a.Square(), x), ("sin", a => a.Sin(), x),
            ("tanh", a => a.Tanh(), x), ("sigmoid", a => a.Sigmoid(), x), ("relu", a => a.Relu(), x),
            ("elu", a => a.Elu(), x), ("gelu", a => a.Gelu(), x), ("silu", a => a.Silu(), x),
            ("softplus", a => a.Softplus(), x), ("gelu float64", a => a.Gelu(), wide),
            ("gelu bfloat16", a => a.Gelu(), half), ("add int64", a => a + whole, whole),
            ("compare", a => a.Greater(square), x), ("where", a => Tensor.Where(square.Greater(0), a, square), x),
            ("cast to float64", a => a.To(DType.Float64), x), ("sum", a => a.Sum(), x),
            ("sum of rows", a => a.Sum(1), x),
            ("sum of columns", a => a.Sum(0), x), ("max of rows", a => a.Max(1), x), ("argmax", a => a.ArgMax(1), x),
            ("cumulative sum", a => a.CumSum(1), x), ("top 5", a => a.TopK(5).Values, x),
            ("transposed copy", a => a.Transpose().Clone(), x), ("concat", a => Tensor.Concat([a, square], 1), x),
            ("gather", a => a.Gather(1, labels.Reshape(1024, 1)), x), ("select rows", a => a.Embedding(labels), x),
            ("product", a => a.MatMul(square), x), ("product float64", a => a.MatMul(wide), wide),
            ("convolution", a => a.Conv2d(kernel, null, padding: 1), image), ("max pool", a => a.MaxPool2d(2), image),
            ("batch norm", a => a.BatchNorm(Tensor.Ones(16), Tensor.Zeros(16)), image),
            ("layer norm", a => a.LayerNorm(row, row), x), ("softmax", a => a.Softmax(), x),
            ("cross-entropy", a => Loss.CrossEntropy(a, labels), x),
            ("attention", a => a.ScaledDotProductAttention(heads, heads), heads),
            ("lstm", lstm.Forward, sequence),
            ("random numbers", _ => Tensor.Randn([1024, 1024], new Generator(9)), x),
            .. optimizers.Select(one => (one.Key, (Func<Tensor, Tensor>)(a =>
            {
                one.Value.Step();
                return a;
            }), weight)),
        ];
        foreach (var (name, call, input) in ops)
        {
            var leaf = input.Detach();
            if (input.DType.IsFloating()) leaf.RequireGrad();
            var times = new List<double>();
            var (all, begin) = (Stopwatch.StartNew(), ThreadMilliseconds());
            while (all.ElapsedMilliseconds < 500 || ThreadMilliseconds() - begin < 500)
            {
                var start = ThreadMilliseconds();
                var result = call(leaf);
                if (result.RequiresGrad && !ReferenceEquals(result, leaf)) result.Sum().Backward();
                leaf.ZeroGrad();
                times.Add(ThreadMilliseconds() - start);
            }
            Print(name, times.Skip(times.Count / 2).Order().ElementAt((times.Count - times.Count / 2) / 2));
            Print(name + " 1", times[0]);
        }
        return 0;
    }

    // What the thread itself ran, compilation on it included: others on the machine do not count.
    private static double ThreadMilliseconds()
    {
        var time = stackalloc long[2];
        if (ReadClock(ThreadClock, time) != 0) throw new InvalidOperationException("there is no clock of the thread");
        return time[0] * 1e3 + time[1] / 1e6;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, long* secondsAndNanoseconds);

    private static void Print(string name, double value) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{value}"));

    private static string Format(double value) => value.ToString(value switch
    {
        < 10 => "0.00",
        < 100 => "0.0",
        _ => "0",
    }, CultureInfo.InvariantCulture);

    private sealed class StepTimes : Callback
    {
        private double started;

        internal List<DateTime> Ends { get; } = [];

        internal List<double> Milliseconds { get; } = [];

        public override void BeforeBatch(Trainer trainer, Batch batch) => started = ThreadMilliseconds();

        public override void AfterBatch(Trainer trainer, StepInfo step)
        {
            Milliseconds.Add(ThreadMilliseconds() - started);
            Ends.Add(DateTime.UtcNow);
        }
    }
}
