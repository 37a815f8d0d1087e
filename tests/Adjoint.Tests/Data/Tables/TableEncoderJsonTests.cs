using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Data.Tables;

namespace Adjoint.Tests.Data;

/// <summary>An encoder goes into a model's file and comes out the same; what nobody wrote is refused.</summary>
public sealed class TableEncoderJsonTests
{
    [Fact]
    public void An_encoder_is_the_same_after_its_json()
    {
        var n = Enumerable.Range(0, 400).ToArray();
        var table = TableEncoderTests.Cars(400)
            .With(new DateColumn("sold", [.. n.Select(i => new DateTime(2020, 1, 1).AddHours(i * 31).Ticks)]))
            .With(new TextColumn("city", [.. n.Select(i => i % 7 == 0 ? null : $"c{i % 90}")]))
            .With(new TextColumn("street", [.. n.Select(i => $"s{i % 80}")]));
        foreach (var (target, options) in new (string, TableEncoderOptions)[] { ("price", new()),
            ("maker", new() { MostOneHot = 5, Weights = "power" }),
                ("price", new() { Embed = true, RefuseUnknown = true }) })
        {
            var encoder = TableEncoder.Fit(table, target, options);
            var text = Write(encoder);
            using var json = JsonDocument.Parse(text);
            var again = Assert.IsType<TableEncoder>(Preprocessing.Read(json.RootElement));
            Assert.Equal(text, Write(again));
            Assert.Equal(encoder.ToDataset(table)[Field.Inputs].ToArray<float>(),
                again.ToDataset(table)[Field.Inputs].ToArray<float>());
            Assert.Equal((encoder.Task, encoder.OutputCount, encoder.Weights),
                (again.Task, again.OutputCount, again.Weights));
            Assert.Equal(encoder.ClassNames, again.ClassNames);
            Assert.Equal(encoder.LeftOut, again.LeftOut);
        }
    }

    [Theory]
    [InlineData("\"task\":\"regression\"", "\"task\":\"magic\"")]
    [InlineData("\"deviation\":", "\"deviation\":-")]
    [InlineData("\"role\":\"number\"", "\"role\":\"leftOut\"")]
    [InlineData("\"name\":\"km\"", "\"name\":\"power\"")]
    [InlineData("\"role\":\"category\"", "\"role\":\"date\"")]
    [InlineData("\"categories\":[\"BMW\"", "\"categories\":[\"Kia\"")]
    [InlineData("\"columns\":[", "\"columns\":[],\"old\":[")]
    [InlineData("\"missing\":true", "\"embedded\":true")]
    [InlineData("\"kind\":\"table\"", "\"kind\":\"chair\"")]
    public void Json_that_no_encoder_wrote_is_refused(string found, string replaced)
    {
        var text = Write(TableEncoder.Fit(TableEncoderTests.Cars(), "price"));
        Assert.Contains(found, text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(text.Replace(found, replaced, StringComparison.Ordinal));
        Assert.Throws<FormatException>(() => Preprocessing.Read(json.RootElement));
    }

    private static string Write(TableEncoder encoder)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("kind", encoder.Kind);
            encoder.Write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
