using System.Globalization;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Data.Tables;

namespace Adjoint.Tests.Data;

/// <summary>Columns to tensors, against numbers worked out by hand.</summary>
public sealed class TableEncoderTests
{
    private static readonly string[] Makers = ["Opel", "BMW", "Kia"];

    internal static Table Cars(int rows = 60) => new("cars.csv",
    [
        new NumberColumn("power", [.. Enumerable.Range(0, rows).Select(i => 50.0 + i * i % 37)]),
        new NumberColumn("km", [.. Enumerable.Range(0, rows).Select(i => i % 5 == 3 ? double.NaN : 1000.5 * i)]),
        new TextColumn("maker", [.. Enumerable.Range(0, rows).Select(i => (string?)Makers[i % 3])]),
        new TruthColumn("electric", [.. Enumerable.Range(0, rows).Select(i => (sbyte)(i % 4 == 0 ? 1 : 0))],
            "no", "yes"),
        new NumberColumn("price", [.. Enumerable.Range(0, rows).Select(i => 3000.0 + 90 * (i % 37))]),
    ]);

    private static Table Row(params (string Name, string? Value)[] fields) =>
        new("new.csv", fields.Select(field => new TextColumn(field.Name, [field.Value])));

    private static string Refused(Action act)
    {
        var message = Assert.ThrowsAny<AdjointException>(act).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [Fact]
    public void Numbers_are_standardized_by_the_training_rows_alone()
    {
        var encoder = TableEncoder.Fit(Cars(), "price");
        string[] names = ["power", "km", "km missing", "maker=BMW", "maker=Kia", "maker=Opel", "electric"];
        Assert.Equal(names, encoder.InputNames);
        Assert.Equal((TargetKind.Regression, 7, 1), (encoder.Task, encoder.InputCount, encoder.OutputCount));
        var km = Enumerable.Range(0, 60).Where(i => i % 5 != 3).Select(i => 1000.5 * i).ToArray();
        var (mean, deviation) = (km.Average(), Math.Sqrt(km.Select(x => Math.Pow(x - km.Average(), 2)).Average()));
        var inputs = encoder.ToDataset(Cars())[Field.Inputs].ToArray<float>();
        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(i % 5 == 3 ? 0 : (1000.5 * i - mean) / deviation, inputs[i * 7 + 1], 1e-5);
            Assert.Equal(i % 5 == 3 ? 1 : 0, inputs[i * 7 + 2]);
            for (var maker = 0; maker < 3; maker++)
                Assert.Equal(((int[])[2, 0, 1])[i % 3] == maker ? 1 : 0, inputs[i * 7 + 3 + maker]);
        }
        // Other rows take the same numbers.
        var other = encoder.Encode(Row(("power", "60"), ("km", "70000"), ("maker", "Kia"), ("electric", "yes")));
        Assert.Equal((70000 - mean) / deviation, other.Inputs.ToArray<float>()[1], 1e-5);
        var prices = Enumerable.Range(0, 60).Select(i => 3000.0 + 90 * (i % 37)).ToArray();
        Assert.Equal(prices.Average(), encoder.TargetStatistics.Mean[0], 1e-8);
        var spread = Math.Sqrt(prices.Select(x => Math.Pow(x - prices.Average(), 2)).Average());
        Assert.Equal(spread, encoder.TargetStatistics.Deviation[0], 1e-8);
        Assert.Equal(prices.Select(price => (float)price), encoder.ToDataset(Cars())[Field.Targets].ToArray<float>());
    }

    [Fact]
    public void Statistics_do_not_cancel_far_from_zero()
    {
        NumberColumn[] columns = [new("x", [1e9 + 1, 1e9 + 2, 1e9 + 3.5]), new("y", [1.5, 2, 3])];
        var column = TableEncoder.Fit(new Table("t", columns), "y").Columns[0];
        Assert.Equal(1e9 + 6.5 / 3, column.Mean, 1e-6);
        Assert.Equal(Math.Sqrt((1 + 4 + 12.25) / 3 - 6.5 * 6.5 / 9), column.Deviation, 1e-6);
    }

    [Fact]
    public void What_is_missing_or_unknown_only_later_is_counted()
    {
        var encoder = TableEncoder.Fit(Cars(), "price");
        var rows = new Table("new.csv",
        [
            new TextColumn("color", ["red", "blue"]), new TextColumn("maker", ["Lada", null]),
            new NumberColumn("electric", [1, double.NaN]), new NumberColumn("km", [5, double.NaN]),
            new NumberColumn("power", [double.NaN, 100]),
        ]);
        var inputs = encoder.Encode(rows, out var report).Inputs.ToArray<float>();
        Assert.Equal([0, 0, 0], inputs[3..6]);
        Assert.Equal([0, 0, 0], inputs[10..13]);
        Assert.Equal((0f, 1f), (inputs[0], inputs[9]));
        Assert.Equal(
            [
                "column \"maker\": 1 row with a category that training did not have",
                "column \"power\": 1 row without a value, as in no training row; the mean stands for it",
                "column \"maker\": 1 row without a value, as in no training row; the mean stands for it",
                "column \"electric\": 1 row without a value, as in no training row; the mean stands for it",
                "columns that training did not have are ignored: \"color\"",
            ], report.Lines());
        Assert.Equal("new.csv, row 1, column \"maker\": found \"Lada\", expected one of the categories of training: "
            + "\"BMW\", \"Kia\", \"Opel\"; correct or empty the field",
            Refused(() => TableEncoder.Fit(Cars(), "price", new() { RefuseUnknown = true }).Encode(rows)));
    }

    [Fact]
    public void Missing_columns_and_wrong_values_are_named()
    {
        var encoder = TableEncoder.Fit(Cars(), "price");
        Assert.Equal("new.csv: found no columns \"km\", \"electric\", expected the columns of training; columns are "
            + "\"maker\", \"power\"", Refused(() => encoder.Encode(Row(("maker", "BMW"), ("power", "1")))));
        Assert.Equal(
            "new.csv, row 1, column \"km\": found \"far\", expected a number, as in training; correct or empty "
            + "the field", Refused(() => encoder.Encode(
                Row(("maker", "BMW"), ("power", "1"), ("km", "far"), ("electric", "no")))));
        Assert.Contains("found \"maybe\", expected a truth value", Refused(() => encoder.Encode(
            Row(("maker", "BMW"), ("power", "1"), ("km", ""), ("electric", "maybe")))), StringComparison.Ordinal);
        Assert.Contains("expected a number nearer to those of training", Refused(() => encoder.Encode(
            Row(("maker", "BMW"), ("power", "1e300"), ("km", ""), ("electric", "no")))), StringComparison.Ordinal);
    }

    [Fact]
    public void Classes_are_sorted_and_later_ones_refused()
    {
        Table Of(params string?[] classes) => new("t.csv",
        [
            new NumberColumn("x", [.. Enumerable.Range(0, classes.Length).Select(i => i * 1.5)]),
            new TextColumn("y", classes),
        ]);
        var encoder = TableEncoder.Fit(Of("pear", "Apple", "pear", "fig"), "y");
        Assert.Equal(["Apple", "fig", "pear"], encoder.ClassNames);
        var data = encoder.ToDataset(Of("fig", null, "pear"), out var report);
        Assert.Equal([1L, 2], data[Field.Targets].ToArray<long>());
        Assert.Equal(["1 row without a target: left out"], report.Lines());
        Assert.Same(encoder, data.Preprocessing);
        Assert.Equal(encoder.ClassNames, data.ClassNames);
        Assert.Equal("t.csv, row 2, column \"y\": found \"plum\", expected one of the classes of training: \"Apple\", "
            + "\"fig\", \"pear\"; leave such rows out, or have rows of every class in training (a stratified split)",
            Refused(() => encoder.ToDataset(Of("fig", "plum"))));
        Assert.Equal("t.csv: the target \"y\" is \"fig\" in all 2 rows, expected two classes or more; choose another "
            + "target, or add rows of another class", Refused(() => TableEncoder.Fit(Of("fig", null, "fig"), "y")));
        Assert.Equal("t.csv, row 2, column \"y\": found no value, expected a target in every row; fill it in, or let "
            + "such rows be left out", Refused(() =>
                TableEncoder.Fit(Of("fig", null), "y", new() { RefuseMissingTargets = true })));
        Assert.Contains("found no row with a value of the target", Refused(() => TableEncoder.Fit(Of(null, null), "y")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_of_classes_are_in_their_order()
    {
        var rows = Enumerable.Range(0, 300).ToArray();
        var table = new Table("t", [new NumberColumn("x", [.. rows.Select(i => i * 0.5)]),
            new NumberColumn("y", [.. rows.Select(i => (double)(i % 12))])]);
        var encoder = TableEncoder.Fit(table, "y");
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i.ToString(CultureInfo.InvariantCulture)), encoder.ClassNames);
        Assert.Equal(rows.Select(i => (long)(i % 12)), encoder.ToDataset(table)[Field.Targets].ToArray<long>());
        Assert.Equal(TargetKind.Regression, TableEncoder.Fit(table, "y", new() { Task = TargetKind.Regression }).Task);
    }

    // An empty field is neither class.
    [Fact]
    public void A_truth_target_is_two_classes()
    {
        var table =
            new Table("t", [new NumberColumn("x", [1, 2, 3.5, 4]), new TruthColumn("y", [1, 0, -1, 1], "0", "1")]);
        var encoder = TableEncoder.Fit(table, "y");
        Assert.Equal(["0", "1"], encoder.ClassNames);
        Assert.Equal([1L, 0, 1], encoder.ToDataset(table)[Field.Targets].ToArray<long>());
        Assert.Contains("is \"1\" in all 2 rows", Refused(() => TableEncoder.Fit(
            table.With(new TruthColumn("y", [1, -1, -1, 1], "0", "1")), "y")), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_targets_are_labels_or_numbers()
    {
        var table = new Table("t", [new NumberColumn("x", [1, 2, 3.5]), new TruthColumn("a", [1, 0, 1]),
            new TruthColumn("b", [0, 0, 1]), new NumberColumn("c", [1, 2.5, 4])]);
        var labels = TableEncoder.Fit(table, ["a", "b"]);
        Assert.Equal((TargetKind.MultiLabel, 2, 2), (labels.Task, labels.OutputCount, labels.InputCount));
        Assert.Equal([1f, 0, 0, 0, 1, 1], labels.ToDataset(table)[Field.Targets].ToArray<float>());
        Assert.Equal(["a", "b"], labels.ClassNames);
        var numbers = TableEncoder.Fit(table, ["c", "b"]);
        Assert.Equal(TargetKind.Regression, numbers.Task);
        Assert.Equal([1f, 0, 2.5f, 0, 4, 1], numbers.ToDataset(table)[Field.Targets].ToArray<float>());
    }

    [Fact]
    public void A_target_that_cannot_be_learned_is_refused()
    {
        var table = new Table("t.csv", [new NumberColumn("x", [1, 2, 3.5]), new NumberColumn("y", [5, 5, 5]),
            new TextColumn("t", ["a", "b", "b"]), new NumberColumn("i", [1, double.PositiveInfinity, 2.5]),
            new DateColumn("d", [0, 1, 2])]);
        Assert.Equal("t.csv: the target \"y\" is 5 in all 3 rows, so there is nothing to learn; choose another target",
            Refused(() => TableEncoder.Fit(table, "y", new() { Task = TargetKind.Regression })));
        Assert.Contains("holds text, such as \"a\", expected numbers", Refused(() =>
            TableEncoder.Fit(table, "t", new() { Task = TargetKind.Regression })), StringComparison.Ordinal);
        Assert.Contains("holds infinite", Refused(() => TableEncoder.Fit(table, "i")), StringComparison.Ordinal);
        Assert.Contains("holds dates", Refused(() => TableEncoder.Fit(table, "d")), StringComparison.Ordinal);
        Assert.Contains("there is no column \"z\"", Refused(() => TableEncoder.Fit(table, "z")),
            StringComparison.Ordinal);
        Assert.Contains("row 2, column \"i\": found \"Infinity\", expected a finite number",
            Refused(() => TableEncoder.Fit(table.Without("y", "d"), "x")), StringComparison.Ordinal);
        Assert.Equal("t.csv: no column is left to learn from: \"y\" the same value in all rows",
            Refused(() => TableEncoder.Fit(table.Select("y", "x"), "x")));
    }

    [Fact]
    public void Columns_that_say_nothing_are_left_out_by_name()
    {
        var n = Enumerable.Range(0, 100).ToArray();
        var table = new Table("t", [
            new NumberColumn("id", [.. n.Select(i => i + 1.0)]),
                new TextColumn("note", [.. n.Select(i => $"text {i}")]),
            new NumberColumn("same", [.. n.Select(_ => 7.0)]),
                new NumberColumn("nothing", [.. n.Select(_ => double.NaN)]),
            new NumberColumn("flag", [.. n.Select(i => i % 3 == 0 ? 1 : double.NaN)]),
            new NumberColumn("x", [.. n.Select(i => i * 0.5)]), new NumberColumn("y", [.. n.Select(i => i * 0.25)])]);
        var encoder = TableEncoder.Fit(table, "y");
        Assert.Equal([("id", "numbers the rows"), ("note", "100 different texts in 100 rows"),
            ("same", "the same value in all rows"), ("nothing", "no value in any row")], encoder.LeftOut);
        // That it is missing says something.
        Assert.Equal(["flag", "flag missing", "x"], encoder.InputNames);
        encoder.Encode(table, out var report);
        Assert.Empty(report.Lines());
        Assert.Equal(["id", "flag", "flag missing"], TableEncoder.Fit(table, "y", new()
        {
            Roles = new Dictionary<string, ColumnRole> { ["id"] = ColumnRole.Number, ["x"] = ColumnRole.LeftOut },
        }).InputNames);
    }

    [Fact]
    public void Few_whole_numbers_are_categories()
    {
        var n = Enumerable.Range(0, 300).ToArray();
        var table = new Table("t", [new NumberColumn("class", [.. n.Select(i => (double)(i % 3))]),
            new NumberColumn("rooms", [.. n.Select(i => (double)(i % 20))]),
                new NumberColumn("y", [.. n.Select(i => i * 0.5)])]);
        Assert.Equal(["class=0", "class=1", "class=2", "rooms"], TableEncoder.Fit(table, "y").InputNames);
        var encoder = TableEncoder.Fit(table, "y");
        Assert.Equal([0f, 1, 0], encoder.Encode(Row(("class", "1.0"), ("rooms", "3"))).Inputs.ToArray<float>()[..3]);
        Assert.Equal(["class", "rooms"], TableEncoder.Fit(table, "y", new()
        {
            Roles = new Dictionary<string, ColumnRole> { ["class"] = ColumnRole.Number },
        }).InputNames);
    }

    [Fact]
    public void Many_categories_share_an_input_or_are_embedded()
    {
        var n = Enumerable.Range(0, 400).ToArray();
        var table = new Table("t", [
            new TextColumn("city", [.. n.Select(i => i % 4 == 0 ? "A" : i % 4 == 1 ? "B" : $"c{i % 50}")]),
            new NumberColumn("x", [.. n.Select(i => i * 0.5)]), new NumberColumn("y", [.. n.Select(i => i * 0.25)])]);
        var shared = TableEncoder.Fit(table, "y", new() { MostOneHot = 2 });
        Assert.Equal(["city=A", "city=B", "city=other", "x"], shared.InputNames);
        Assert.Equal([0f, 0, 1], shared.Encode(Row(("city", "new"), ("x", "1"))).Inputs.ToArray<float>()[..3]);

        var embedded = TableEncoder.Fit(table, "y", new() { MostOneHot = 2, Embed = true });
        Assert.Equal(["x"], embedded.InputNames);
        var categories = table["city"];
        string[] names =
            [.. Enumerable.Range(0, 400).Select(i => categories.Text(i)!).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal([names.Length + 1], embedded.EmbeddingSizes);
        Assert.Equal(n.Select(i => Array.IndexOf(names, categories.Text(i)!) + 1L),
            embedded.ToDataset(table)[TableEncoder.Categories].ToArray<long>());
        Assert.Equal([0L], embedded.Encode(Row(("city", "new"), ("x", "1")), out var report)
            [TableEncoder.Categories].ToArray<long>());
        Assert.Equal(1, report.UnknownCategories["city"]);
    }

    [Fact]
    public void Dates_are_days_and_points_on_circles()
    {
        var start = new DateTime(2023, 1, 1);
        var table = new Table("t", [
            new DateColumn("sold", [.. Enumerable.Range(0, 400).Select(i => start.AddHours(i * 25).Ticks)]),
            new NumberColumn("y", [.. Enumerable.Range(0, 400).Select(i => i * 0.25)])]);
        var encoder = TableEncoder.Fit(table, "y");
        Assert.Equal(["sold day", "sold year sin", "sold year cos", "sold week sin", "sold week cos", "sold day sin",
            "sold day cos"], encoder.InputNames);
        var days = Enumerable.Range(0, 400).Select(i => (start.AddHours(i * 25) - new DateTime(2000, 1, 1)).TotalDays)
            .ToArray();
        var deviation = Math.Sqrt(days.Select(day => Math.Pow(day - days.Average(), 2)).Average());
        var row = encoder.Encode(Row(("sold", "2023-07-04T06:00:00"))).Inputs.ToArray<float>();
        var day = (new DateTime(2023, 7, 4, 6, 0, 0) - new DateTime(2000, 1, 1)).TotalDays;
        Assert.Equal((day - days.Average()) / deviation, row[0], 1e-5);
        Assert.Equal(Math.Sin(2 * Math.PI * day / 365.2425), row[1], 1e-5);
        Assert.Equal(Math.Cos(2 * Math.PI * day / 7), row[4], 1e-5);
        // Six o'clock is a quarter of a day.
        Assert.Equal((1, 0), (row[5], row[6]), (x, y) => Math.Abs(x.Item1 - y.Item1)
            + Math.Abs(x.Item2 - y.Item2) < 1e-5);
        var monthly =
            new Table("t", [new DateColumn("sold", [.. Enumerable.Range(0, 4).Select(i => start.AddDays(i * 7).Ticks)]),
            new NumberColumn("y", [1, 2.5, 3, 4])]);
        Assert.Equal(["sold day"], TableEncoder.Fit(monthly, "y").InputNames);
    }

    [Fact]
    public void Weights_are_a_field_and_no_input()
    {
        var table = new Table("t", [new NumberColumn("x", [1, 2.5, 3]), new NumberColumn("y", [1, 2.5, 4]),
            new NumberColumn("w", [1, 0.5, 2])]);
        var encoder = TableEncoder.Fit(table, "y", new() { Weights = "w" });
        Assert.Equal(["x"], encoder.InputNames);
        Assert.Equal([1, 0.5f, 2], encoder.ToDataset(table)[Field.Weights].ToArray<float>());
        Assert.Contains("row 1, column \"w\": found \"-1\", expected a weight of 0 or more", Refused(() =>
            TableEncoder.Fit(table.With(new NumberColumn("w", [-1, 1, 1])), "y", new() { Weights = "w" })),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_of_the_web_are_encoded_as_rows_of_tables()
    {
        var encoder = TableEncoder.Fit(Cars(), "price");
        var expected = encoder.Encode(Cars()).Inputs.ToArray<float>()[..14];
        using var json = JsonDocument.Parse("""
            [{ "power": 50, "km": 0.0, "maker": "Opel", "electric": true, "color": "red" },
             { "electric": "no", "power": 51, "km": "1000.5", "maker": "BMW" }]
            """);
        Assert.Equal(expected, encoder.Encode(json.RootElement).Inputs.ToArray<float>());
        Assert.Equal(expected[..7], encoder.Encode(json.RootElement[0]).Inputs.ToArray<float>());
        Assert.Equal(expected[..7], encoder.Encode(new Dictionary<string, string?>
        {
            ["power"] = "50",
            ["km"] = "0",
            ["maker"] = " Opel ",
            ["electric"] = "yes",
        }).Inputs.ToArray<float>());
        foreach (var (text, message) in new[]
        {
            ("""{ "power": 50 }""",
                "the JSON, row 1: found no \"km\", expected the columns of training; null says that a "
                + "value is missing"),
            ("[1]", "the JSON, row 1: found number, expected an object by column"),
            ("3", "the JSON, row 1: found number, expected an object by column, or an array of them"),
            ("""{ "power": [], "km": 1, "maker": null, "electric": null }""",
                "the JSON, row 1: found array, expected a "
                + "number, a text, true, false or null for \"power\""),
        })
        {
            using var wrong = JsonDocument.Parse(text);
            Assert.Equal(message, Refused(() => encoder.Encode(wrong.RootElement)));
        }
        Assert.Equal(0, encoder.Encode(JsonDocument.Parse("[]").RootElement).Count);
    }

    [Fact]
    public void Threads_encode_alike()
    {
        var encoder = TableEncoder.Fit(Cars(), "price");
        var expected = encoder.Encode(Cars()).Inputs.ToArray<float>();
        Parallel.For(0, 64, _ => Assert.Equal(expected, encoder.Encode(Cars()).Inputs.ToArray<float>()));
    }
}
