using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Tables of a user's own are trained on with one command; what cannot be is refused in one line.</summary>
public sealed class OwnTableTests : IDisposable
{
    private static readonly (string Name, double Premium)[] Makers =
        [("Audi", 4000), ("Fiat", 0), ("Kia", 300), ("Opel", -700), ("Tesla", 6500), ("Volvo", 3000)];

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // The rule is known, and its noise: nothing can explain more than 1 − 400² / variance.
    [Fact]
    public void Prices_and_what_is_dear_are_learned_with_the_defaults()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var (prices, classes) = Cars(3000, seed);
        var price = Train(prices, "--target", "price");
        Assert.InRange(price.GetProperty("best").GetProperty("metrics").GetProperty("r2").GetDouble(), 0.98, 1);
        Assert.Equal(JsonValueKind.Null, price.GetProperty("best").GetProperty("validationAccuracy").ValueKind);
        Assert.All(price.GetProperty("epochs").EnumerateArray(), epoch =>
            Assert.True(epoch.GetProperty("metrics").TryGetProperty("rmse", out _)));
        var dear = Train(classes, "--target", "dear", "--epochs", "20");
        Assert.InRange(dear.GetProperty("best").GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0.95, 1);
        Assert.Equal(dear.GetProperty("best").GetProperty("validationAccuracy").GetDouble(),
            dear.GetProperty("best").GetProperty("metrics").GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public void A_dry_run_shows_columns_parts_network_and_cost_and_writes_nothing()
    {
        var (prices, _) = Cars(400, 1);
        var (code, output, _) = ToolRun.Of("train", "--data", prices, "--target", "price", "--dry-run");
        Assert.Equal(0, code);
        foreach (var expected in (string[])["maker", "(6 different)", "320 training and 80 validation", "Rescale(1)",
            "regression", "steps an epoch"])
            Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Equal(["cars.csv", "dear.csv"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_run_that_was_interrupted_ends_with_the_same_bits()
    {
        var (prices, _) = Cars(500, 2);
        string[] settings = ["--data", prices, "--target", "price", "--epochs", "6", "--quiet"];
        var (whole, parts) = (Path.Combine(folder, "whole"), Path.Combine(folder, "parts"));
        Assert.Equal(0, ToolRun.Of(["train", .. settings, "--out", whole]).Code);
        Directory.CreateDirectory(parts);
        // Stopped after its first step, as an interrupt does.
        KeyValuePair<string, string>[] given =
            [new("data", prices), new("target", "price"), new("epochs", "6")];
        var own = OwnData.Open(given)!;
        var values = TrainSettings.Table.Read(own.Complete(given));
        RunFolder.WriteSettings(parts, values);
        Assert.True(new TrainingRun(values, values.LoadData(own), parts, TimeSpan.Zero)
            .Train(false, Assert.Fail, new CancellationToken(canceled: true)).WasCanceled);
        var (code, _, error) = ToolRun.Of("train", "--resume", parts, "--quiet");
        Assert.True(code == 0, error);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "best.safetensors")),
            File.ReadAllBytes(Path.Combine(parts, "best.safetensors")));
    }

    [Fact]
    public void A_run_does_not_go_on_with_a_table_that_has_changed()
    {
        var (prices, _) = Cars(500, 2);
        var run = Directory.CreateDirectory(Path.Combine(folder, "run")).FullName;
        KeyValuePair<string, string>[] given = [new("data", prices), new("target", "price")];
        var own = OwnData.Open(given)!;
        var values = TrainSettings.Table.Read(own.Complete(given));
        RunFolder.WriteSettings(run, values);
        new TrainingRun(values, values.LoadData(own), run, TimeSpan.Zero)
            .Train(false, Assert.Fail, new CancellationToken(canceled: true));
        File.WriteAllText(prices, File.ReadAllText(prices).Replace("Tesla", "Volvo", StringComparison.Ordinal));
        var (code, _, error) = ToolRun.Of("train", "--resume", run, "--quiet");
        Assert.Equal(1, code);
        Assert.Contains("fingerprint of the data was", error, StringComparison.Ordinal);
        File.Delete(prices);
        Assert.Contains("no such file or folder", ToolRun.Of("train", "--resume", run).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_split_as_asked()
    {
        var path = Write("visits.csv", "patient,day,value,target\n" + string.Join('\n', Enumerable.Range(0, 120)
            .Select(i => $"p{i / 6},2024-{1 + i % 12:00}-{1 + i % 28:00},{i % 7},{(i % 7 > 3 ? "ill" : "well")}")));
        foreach (var rule in (string[])["random", "stratified", "group:patient", "time:day"])
            Assert.Contains("96 training and 24 validation",
                ToolRun.Of("train", "--data", path, "--split", rule, "--dry-run").Output, StringComparison.Ordinal);
        Assert.Equal("adjoint: --split: 'group:' is none of random, stratified, group:COLUMN, time:COLUMN",
            ToolRun.Refused("train", "--data", path, "--split", "group:"));
        Refused("there is no column \"person\"", path, "--split", "group:person");
        Refused("must hold dates or numbers", path, "--split", "time:patient");
    }

    [Theory]
    [InlineData("a,target\n1,2\n3\n4,5\n", "row 2 (line 3)", "found 1 column, expected 2")]
    [InlineData("a,target\n1,x\n2,x\n3,x\n4,x\n", "target", "two classes or more")]
    [InlineData("a,target\n1,2.5\n2,2.5\n3,2.5\n", "target", "nothing to learn")]
    [InlineData("a,target\n", "rows")]
    [InlineData("", "empty")]
    [InlineData("a,b\n1,2\n3,4\n", "--target", "\"a\", \"b\"")]
    [InlineData("a,target\n1,\n2,\n3,\n", "target")]
    public void What_cannot_be_learned_from_is_refused_in_one_line(string text, params string[] words)
    {
        var path = Write("bad.csv", text);
        var (code, _, error) = ToolRun.Of("train", "--data", path, "--out", Path.Combine(folder, "run"));
        Assert.True(code is 1 or 2, error);
        var line = Assert.Single(error.TrimEnd().Split('\n'), line => line.StartsWith("adjoint: ",
            StringComparison.Ordinal));
        foreach (var word in words) Assert.Contains(word, line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "run")));
    }

    [Fact]
    public void Settings_that_do_not_fit_the_data_are_refused()
    {
        var (prices, _) = Cars(100, 3);
        Refused("l1 is no loss for classification", prices, "--target", "maker", "--loss", "l1");
        Refused("rmse is not measured for classification", prices, "--target", "maker", "--metric", "rmse");
        Refused("resnet20 does not take the images of table", prices, "--target", "price", "--model", "resnet20");
        Refused("is own data, table, not mnist; leave --dataset out", prices, "--target", "price", "--dataset",
            "mnist");
        Refused("keep some back with --test", prices, "--target", "price", "--final");
        Assert.Contains("it is for tables given by --data", ToolRun.Refused("train", "--target", "price"),
            StringComparison.Ordinal);
    }

    private JsonElement Train(string path, params string[] settings)
    {
        var (code, output, error) = ToolRun.Of(["train", "--data", path, .. settings, "--json", "--quiet", "--out",
            Path.Combine(folder, $"run-{Path.GetFileNameWithoutExtension(path)}")]);
        Assert.True(code == 0, error);
        return JsonDocument.Parse(output).RootElement;
    }

    private static void Refused(string message, string path, params string[] settings)
    {
        var (code, _, error) = ToolRun.Of(["train", "--data", path, .. settings, "--dry-run"]);
        Assert.NotEqual(0, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private (string Prices, string Classes) Cars(int rows, int seed)
    {
        var random = new Random(seed);
        var (prices, classes) = (new StringBuilder("maker,year,power,km,electric,price\n"),
            new StringBuilder("maker,year,power,km,electric,dear\n"));
        for (var i = 0; i < rows; i++)
        {
            var (maker, year, power, km, electric) = (Makers[random.Next(Makers.Length)], random.Next(1998, 2025),
                random.Next(50, 351), random.Next(250_000), random.Next(4) == 0);
            var noise = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var price = 3000 + 90 * power + 700 * (year - 1998) - 0.04 * km + maker.Premium + (electric ? 6000 : 0)
                + 400 * noise;
            var row = string.Create(CultureInfo.InvariantCulture,
                $"{maker.Name},{year},{power},{(random.Next(50) == 0 ? "" : km)},{(electric ? "yes" : "no")},");
            prices.Append(row).Append(price.ToString("0.00", CultureInfo.InvariantCulture)).Append('\n');
            classes.Append(row).Append(price > 25_000 ? "yes" : "no").Append('\n');
        }
        return (Write("cars.csv", prices.ToString()), Write("dear.csv", classes.ToString()));
    }
}
