using System.Text;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

/// <summary>What people's files of separated values look like, and what is wrong with them.</summary>
public sealed class CsvFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-csv-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Write(string text, Encoding? encoding = null)
    {
        var path = Path.Combine(folder, "rows.csv");
        File.WriteAllText(path, text, encoding ?? new UTF8Encoding(false));
        return path;
    }

    private static string?[] Texts(Column column) => [.. Enumerable.Range(0, column.Count).Select(column.Text)];

    private string Refused(string text, CsvOptions? options = null)
    {
        var path = Write(text);
        var message = Assert.ThrowsAny<AdjointException>(() => CsvFile.Read(path, options)).Message;
        Assert.Equal(message, Assert.ThrowsAny<AdjointException>(() => CsvFile.Profile(path, options)).Message);
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message[path.Length..];
    }

    [Fact]
    public void Columns_have_the_kinds_of_their_values()
    {
        var table = CsvFile.Read(Write("""
            power,price,km,electric,sold,maker,nothing
            75,9000.5,120000,0,2024-03-31,Opel,
            110,12000,,1,2024-04-01,BMW,
            90,NaN,80000,,2023-12-24,,
            """));
        Assert.Equal(3, table.RowCount);
        Assert.Equal(
            [ColumnKind.Integer, ColumnKind.Number, ColumnKind.Integer, ColumnKind.Truth, ColumnKind.Date,
                ColumnKind.Text, ColumnKind.Empty],
            table.Columns.Select(column => column.Kind));
        Assert.Equal(["75", "110", "90"], Texts(table["power"]));
        Assert.Equal(["9000.5", "12000", null], Texts(table["price"]));
        Assert.Equal(["120000", null, "80000"], Texts(table["km"]));
        Assert.Equal(["0", "1", null], Texts(table["electric"]));
        Assert.Equal(["2024-03-31", "2024-04-01", "2023-12-24"], Texts(table["sold"]));
        Assert.Equal(["Opel", "BMW", null], Texts(table["maker"]));
    }

    // machinelearning #4367, #4460; modelbuilder #579: these shifted all columns.
    [Fact]
    public void Quotes_hold_separators_quotes_and_line_breaks()
    {
        var table = CsvFile.Read(Write(
            "name,text,n\n\"a, b\",\"said \"\"no\"\"\",1\nc,\"two\r\nlines, \"\"\"\"\",2\n \"d\" , e ,3\n"));
        Assert.Equal(["a, b", "c", "d"], Texts(table["name"]));
        Assert.Equal(["said \"no\"", "two\r\nlines, \"\"", "e"], Texts(table["text"]));
        Assert.Equal(["1", "2", "3"], Texts(table["n"]));
    }

    [Fact]
    public void A_quote_inside_of_a_field_is_refused_or_text()
    {
        Assert.Equal(
            ", row 2 (line 4): column \"b\": found a quote inside of \"5\" pipe 8,6\", expected quotes around a "
            + "field only; double those inside, or read quotes as text (HasQuotes = false)",
            Refused("a,b\n\"x\ny\",1\n7,5\" pipe\n8,6\n"));
        // Where no field begins with a quote, quotes are inches.
        var table = CsvFile.Read(Write("a\tb\n7\t5\" pipe\n8\t6\" x 4\"\n"));
        Assert.Equal(["5\" pipe", "6\" x 4\""], Texts(table["b"]));
    }

    [Theory]
    [InlineData("utf-8"), InlineData("utf-16"), InlineData("utf-16BE"), InlineData("utf-32")]
    public void A_byte_order_mark_is_no_part_of_the_first_name(string encoding)
    {
        var path = Write("größe,b\n1,ä\n", Encoding.GetEncoding(encoding));
        var table = CsvFile.Read(path);
        Assert.Equal(["größe", "b"], table.Columns.Select(column => column.Name));
        Assert.Equal(["ä"], Texts(table["b"]));
        Assert.Equal(encoding, CsvFile.Detect(path).Encoding, ignoreCase: true);
    }

    [Fact]
    public void Text_that_is_not_utf8_is_named_with_its_row()
    {
        var path = Write("name,n\nOpel,1\n\"a\nb\",2\nCitroën,3\n", Encoding.Latin1);
        var message = Assert.Throws<DataFormatException>(() => CsvFile.Read(path)).Message;
        Assert.StartsWith($"{path}, row 3 (line 5): found byte eb, which is not valid UTF-8", message,
            StringComparison.Ordinal);
        Assert.Equal("Citroën", CsvFile.Read(path, new() { Encoding = "windows-1252" })["name"].Text(2));
        Assert.Contains("\"klingon\" is unknown",
            Assert.ThrowsAny<AdjointException>(() => CsvFile.Read(path, new() { Encoding = "klingon" })).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a,b\n1,2.5\n", ',', '.')]
    [InlineData("a;b\n1;2,5\n", ';', ',')]
    [InlineData("a;b\n1;2.5\n", ';', '.')]
    [InlineData("a\tb\n1\t2,5\n", '\t', ',')]
    [InlineData("a|b\n1|2.5\n", '|', '.')]
    [InlineData("a,b\n\"1,5\",\"2,25\"\n", ',', ',')]
    [InlineData("a;b;c\n1.234.567,5;x, y, z;2\n", ';', ',')]
    [InlineData("price\n1,5\n2,25\n", ';', ',')]
    public void Delimiter_and_decimal_mark_are_found(string text, char delimiter, char mark)
    {
        var dialect = CsvFile.Detect(Write(text));
        Assert.Equal((delimiter, mark), (dialect.Delimiter, dialect.DecimalMark));
    }

    // machinelearning PR #5145; a Dutch or German export.
    [Fact]
    public void Decimal_commas_are_numbers_and_shown()
    {
        var path = Write("Naam;Prijs;Gewicht\nA;1.234,50;0,125\nB;12,5;1,250\nC;;-3\n");
        var table = CsvFile.Read(path);
        Assert.Equal(["1234.5", "12.5", null], Texts(table["Prijs"]));
        Assert.Equal(["0.125", "1.25", "-3"], Texts(table["Gewicht"]));
        Assert.Contains("separated by ';', decimal mark ','", CsvFile.Profile(path).ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_decimal_mark_may_show_itself_late()
    {
        var rows = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i}\t7\n"));
        var table = CsvFile.Read(Write($"a\tb\n{rows}0\t1,5\n"));
        Assert.Equal((ColumnKind.Number, "1.5"), (table["b"].Kind, table["b"].Text(200_000)));
    }

    [Theory]
    [InlineData("a,b\n\"1,234\",x\n", "1234")]
    [InlineData("a,b\n\"1,234.5\",x\n", "1234.5")]
    [InlineData("a,b\n1'234.5,x\n", "1234.5")]
    [InlineData("a;b\n1 234,5;x\n", "1234.5")]
    // Nothing says whether this is a thousand.
    [InlineData("a\tb\n1,234\tx\n", "1,234")]
    public void Thousands_are_grouped_where_that_is_clear(string text, string expected) =>
        Assert.Equal([expected], Texts(CsvFile.Read(Write(text))["a"]));

    // machinelearning #1980: an empty number was read as 0.
    [Theory]
    [InlineData(""), InlineData("\"\""), InlineData("NA"), InlineData("n/a"), InlineData("nan"), InlineData("NULL")]
    [InlineData("?"), InlineData("None"), InlineData("-"), InlineData("  ")]
    public void What_is_missing_is_never_zero(string missing)
    {
        var table = CsvFile.Read(Write($"a,b\n1.5,x\n{missing},y\n"));
        Assert.Equal((ColumnKind.Number, 1), (table["a"].Kind, table["a"].MissingCount));
        Assert.True(double.IsNaN(((NumberColumn)table["a"]).Values[1]));
    }

    [Fact]
    public void Some_words_are_missing_among_numbers_only()
    {
        var table = CsvFile.Read(Write("a,b\nNone,-\nmild,x\nNA,?\n"));
        Assert.Equal(["None", "mild", null], Texts(table["a"]));
        Assert.Equal(["-", "x", null], Texts(table["b"]));
        Assert.Equal(["NA"], Texts(CsvFile.Read(Write("a,b\nNA,x\n"), new() { MissingWords = ["x"] })["a"]));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3\n", ", row 2 (line 3): found 1 column, expected 2 as in the names in the first row; "
        + "complete the row, or leave it out")]
    [InlineData("a,b\n\"x\ny\",2\n\n3,4,5\n", ", row 2 (line 5): found 3 columns, expected 2 as in the names in the "
        + "first row; put a field that holds ',' in quotes")]
    [InlineData("a,b\n\"x,2\n3,4\n5,6\n", ", row 1 (line 2): found 1 column, expected 2 as in the names in the first "
        + "row; close its quotes")]
    [InlineData("a,b,a\n1,2,3\n", ", line 1: columns 1 and 3 are both named \"a\", expected different names; rename "
        + "one, or say that the first row holds no names (HasHeader = false)")]
    [InlineData("", ": the file is empty; expected rows of separated values")]
    [InlineData("\n \n\n", ": found blank lines only, expected rows of separated values")]
    [InlineData("PK\u0003\u0004rest", ": found a zip archive, such as an Excel workbook, expected rows of separated "
        + "values; save it as CSV")]
    [InlineData("PAR1", ": found a Parquet file, expected rows of separated values; use ParquetFile, or name it "
        + "*.parquet")]
    [InlineData("a,b\0\n", ": found zero bytes, which text has not, expected rows of separated values; name a file of "
        + "text")]
    public void What_is_wrong_is_named_with_row_and_line(string text, string expected) =>
        Assert.Equal(expected, Refused(text));

    [Fact]
    public void Rows_without_names_are_recognized()
    {
        var path = Write("5.1,3.5,setosa\n4.9,3.0,virginica\n");
        var table = CsvFile.Read(path);
        Assert.Equal((2, "column1,column2,column3"),
            (table.RowCount, string.Join(',', table.Columns.Select(column => column.Name))));
        Assert.Contains("no names of columns: the first row holds numbers or dates", CsvFile.Profile(path).ToString(),
            StringComparison.Ordinal);
        // Years as names, above a column with a name.
        Assert.Equal("2023", CsvFile.Read(Write("price,2023\n1.5,2\n")).Columns[1].Name);
        Assert.Equal(1, CsvFile.Read(path, new() { HasHeader = true }).RowCount);
    }

    [Fact]
    public void A_column_without_a_name_gets_one()
    {
        var path = Write(",a,,\n0,1.5,2,3\n1,1,2,3\n2,1,2,4\n");
        Assert.Equal(["column1", "a", "column3", "column4"], CsvFile.Read(path).Columns.Select(column => column.Name));
        var profile = CsvFile.Profile(path);
        Assert.Contains("column 1 has no name, and is called \"column1\"", profile.Notes);
        Assert.Equal((ColumnRole.LeftOut, "numbers the rows"), (profile["column1"].Role, profile["column1"].Reason));
    }

    [Fact]
    public void Postal_codes_and_long_identifiers_stay_text()
    {
        var text = "zip,id\n01067,12345678901234567890\n80331,12345678901234567891\n";
        Assert.Equal(["01067", "80331"], Texts(CsvFile.Read(Write(text))["zip"]));
        Assert.Equal(["12345678901234567890", "12345678901234567891"], Texts(CsvFile.Read(Write(text))["id"]));
        Assert.Equal(ColumnKind.Number, CsvFile.Read(Write(text),
            new() { Kinds = new Dictionary<string, ColumnKind> { ["zip"] = ColumnKind.Number } })["zip"].Kind switch
        {
            ColumnKind.Integer => ColumnKind.Number,
            var other => other,
        });
    }

    [Fact]
    public void An_asserted_kind_is_held()
    {
        CsvOptions Of(ColumnKind kind) => new() { Kinds = new Dictionary<string, ColumnKind> { ["a"] = kind } };
        Assert.Equal(
            ", row 2 (line 3): column \"a\": found \"x\", expected a number; correct or empty the field, or let "
            + "the column be text", Refused("a,b\n1,2\nx,3\n", Of(ColumnKind.Number)));
        Assert.Contains("found \"1.5\", expected a whole number", Refused("a,b\n1.5,2\n", Of(ColumnKind.Integer)),
            StringComparison.Ordinal);
        Assert.Contains("expected a date", Refused("a,b\n1.5,2\n", Of(ColumnKind.Date)), StringComparison.Ordinal);
        Assert.Contains("expected a truth value", Refused("a,b\n2,2\n", Of(ColumnKind.Truth)),
            StringComparison.Ordinal);
        Assert.Equal(["1.50"], Texts(CsvFile.Read(Write("a,b\n1.50,2\n"), Of(ColumnKind.Text))["a"]));
    }

    [Theory]
    [InlineData("31/3/2024,3/4/2024", "2024-03-31,2024-04-03")]
    [InlineData("3/31/2024,3/4/2024", "2024-03-31,2024-03-04")]
    [InlineData("3/4/2024,5/6/2024", "2024-03-04,2024-05-06")]
    [InlineData("31.12.2024,1.2.2024", "2024-12-31,2024-02-01")]
    [InlineData("2024-03-31T14:30:00Z,2024-03-31 14:30:00.5+02:00", "2024-03-31 14:30:00,2024-03-31 12:30:00.5")]
    [InlineData("31 Mar 2024,1 September 2023", "2024-03-31,2023-09-01")]
    [InlineData("2024-02,2024-03", "2024-02-01,2024-03-01")]
    [InlineData("12/31/99 11:59 PM,1/2/03 12:00 AM", "1999-12-31 23:59:00,2003-01-02")]
    public void Dates_are_read_in_their_common_forms(string dates, string expected)
    {
        var table = CsvFile.Read(Write("day,n\n" + string.Concat(dates.Split(',').Select(date => $"{date},1.5\n"))));
        Assert.Equal(ColumnKind.Date, table["day"].Kind);
        Assert.Equal(expected.Split(','), Texts(table["day"]));
    }

    [Fact]
    public void An_open_order_of_day_and_month_is_said()
    {
        var path = Write("day,n\n3/4/2024,1\n");
        Assert.Contains("the month is assumed", string.Concat(CsvFile.Profile(path).Notes), StringComparison.Ordinal);
        Assert.Equal("2024-04-03", CsvFile.Read(path, new() { IsDayFirst = true })["day"].Text(0));
        // Both orders in one column are no dates.
        Assert.Equal(ColumnKind.Text, CsvFile.Read(Write("day,n\n31/1/2024,1\n1/31/2024,1\n"))["day"].Kind);
        Assert.Equal(ColumnKind.Text, CsvFile.Read(Write("day,n\n2023-02-29,1\n"))["day"].Kind);
    }

    // Not by the first hundred rows: here by the last.
    [Theory]
    [InlineData("7", "x", ColumnKind.Text)]
    [InlineData("7", "1.5", ColumnKind.Number)]
    [InlineData("7", "007", ColumnKind.Text)]
    [InlineData("", "0.5", ColumnKind.Number)]
    [InlineData("", "x", ColumnKind.Text)]
    [InlineData("2024-01-31", "1", ColumnKind.Text)]
    [InlineData("yes", "no", ColumnKind.Truth)]
    [InlineData("yes", "1", ColumnKind.Text)]
    [InlineData("1", "yes", ColumnKind.Text)]
    [InlineData("-", "x", ColumnKind.Text)]
    public void Kinds_are_found_from_all_rows(string most, string last, ColumnKind expected)
    {
        const int rows = 300_000;
        var path = Write("n,a\n" + string.Concat(Enumerable.Range(0, rows).Select(i => $"{i},{most}\n"))
            + $"{rows},{last}\n");
        var table = CsvFile.Read(path);
        Assert.Equal((rows + 1, expected), (table.RowCount, table["a"].Kind));
        Assert.Equal((most == "" ? null : most, last), (table["a"].Text(12345), table["a"].Text(rows)));
        Assert.Equal(((double)rows).ToString(), table["n"].Text(rows));

        var (at, chunks) = (0, CsvFile.ReadChunks(path).ToArray());
        Assert.True(chunks.Length > 1);
        foreach (var chunk in chunks)
        {
            Assert.Equal(at + 1, chunk.RowNumber(0));
            Assert.Equal(table["a"].Text(at), chunk["a"].Text(0));
            at += chunk.RowCount;
        }
        Assert.Equal(rows + 1, at);
        Assert.Equal(expected, CsvFile.Profile(path)["a"].Kind);
    }

    [Fact]
    public void Errors_in_later_blocks_count_rows_and_lines_of_the_file()
    {
        var rows = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i},\"a\nb\"\n"));
        Assert.StartsWith(", row 200001 (line 400002): found 1 column", Refused($"n,t\n{rows}7\n8,9\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_quote_that_is_never_closed_does_not_take_all_memory()
    {
        var message = Refused("n,t\n1,\"a\n" + new string('x', 1 << 26) + "\n");
        Assert.Contains("a quote in it is never closed", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_are_chosen_by_name()
    {
        var path = Write("a,b,c\n1,2,3\n");
        Assert.Equal(["c", "a"],
            CsvFile.Read(path, new() { Columns = ["c", "a"] }).Columns.Select(column => column.Name));
        Assert.EndsWith(": there is no column \"d\"; columns are \"a\", \"b\", \"c\"",
            Assert.ThrowsAny<AdjointException>(() => CsvFile.Read(path, new() { Columns = ["d"] })).Message,
            StringComparison.Ordinal);
    }

    // Other files of the same kind: fewer rows, other order, no target, numbers that alone would be something else.
    [Fact]
    public void Rows_to_predict_are_read_as_those_of_training()
    {
        var rows = Enumerable.Range(0, 40).Select(i => FormattableString.Invariant(
            $"0{i % 9}123;{i},5;{(i % 2 == 0 ? "ja" : "nein")};{(i % 3 == 0 ? "yes" : "no")};{i * 7}\n"));
        var encoder = TableEncoder.Fit(CsvFile.Read(Write("zip;km;a;b;price\n" + string.Concat(rows))), "price",
            new() { Task = TargetKind.Regression });
        CsvOptions known = new() { Kinds = encoder.Kinds };
        var alone = CsvFile.Read(Write("b,km,zip,a\nYes,7,10123,ja\n"), known);
        Assert.Equal((ColumnKind.Text, ColumnKind.Integer, ColumnKind.Truth),
            (alone["zip"].Kind, alone["km"].Kind, alone["b"].Kind));
        encoder.Encode(alone, out var report);
        Assert.Equal(["column \"zip\": 1 row with a category that training did not have"], report.Lines());
        Assert.Equal(
            ", row 2 (line 3): column \"km\": found \"far\", expected a number; correct or empty the field, or "
            + "let the column be text", Refused("b,km,zip,a\nno,7,1,ja\nno,far,1,ja\n", known));
    }

    [Theory]
    [InlineData("a,b\r\n1,x\r\n\r\n2,y", 2), InlineData("a,b\r1,x\r2,y\r", 2), InlineData("a,b\n", 0)]
    [InlineData("a\n1\n\n3\n", 3)]
    public void Line_ends_of_every_system_end_rows(string text, int rows) =>
        Assert.Equal(rows, CsvFile.Read(Write(text)).RowCount);
}
