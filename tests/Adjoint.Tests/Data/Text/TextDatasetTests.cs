using System.Text;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

public sealed class TextDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Windows_go_by_the_stride_and_never_across_documents()
    {
        var data = new TextDataset("abc", ["abcdefg", "0123"], new ByteText(), 3, 2);
        var windows = Enumerable.Range(0, data.Count).Select(i => (Text(data, data[i]["inputs"]),
            Text(data, data[i]["targets"])));
        Assert.Equal([("abc", "bcd"), ("cde", "def"), ("012", "123")], windows);
        Assert.Equal((11L, (Shape)(int[])[3]), (data.TokenCount, data.SampleShape));
        var batch = data.Load(2, 0);
        Assert.Equal("012abc".Select(sign => (long)sign), batch.Inputs.Reshape(-1).ToArray<long>());
        Assert.Equal("123bcd".Select(sign => (long)sign), batch.Targets.Reshape(-1).ToArray<long>());
        // The stride is the length where it is not given; the rest, too short for a window, is left out.
        Assert.Equal(["abc", "def"], Inputs(new("abc", ["abcdefgh"], new ByteText(), 3)));
        Assert.Equal(["abc", "bcd"], Inputs(new("abc", ["abcde"], new ByteText(), 3, 1)));
        Assert.Throws<AdjointException>(() => data[3]);
    }

    [Fact]
    public void Characters_are_those_of_the_training_texts_in_order()
    {
        var text = CharacterText.Fit("banana", "né 😀");
        Assert.Equal((" abné😀", 7), (text.Characters, text.Size));
        Assert.Equal([2, 3, 0, 6, 0, 5], text.Encode("ab!😀?é"));
        Assert.Equal("ab�😀�é", text.Decode(text.Encode("ab!😀?é")));
        Assert.Contains("there is no token 7; use 0..6",
            Assert.Throws<AdjointException>(() => text.Decode([7])).Message, StringComparison.Ordinal);
        Assert.Throws<AdjointException>(() => text.Decode([-1]));
    }

    [Fact]
    public void Bytes_are_those_of_UTF_8()
    {
        var text = new ByteText();
        Assert.Equal([0xC3, 0xA9, 33], text.Encode("é!"));
        Assert.Equal("é!", text.Decode([0xC3, 0xA9, 33]));
        Assert.Equal("�!", text.Decode([0xC3, 33]));
        Assert.Throws<AdjointException>(() => text.Decode([256]));
    }

    [Fact]
    public void Both_are_read_as_they_were_written()
    {
        foreach (var text in (TextPreprocessing[])[CharacterText.Fit("né 😀\n\"\\"), new ByteText()])
        {
            var read = Assert.IsAssignableFrom<TextPreprocessing>(Preprocessing.Read(Json(text)));
            Assert.Equal(text.GetType(), read.GetType());
            Assert.Equal(text.Encode("né 😀x\n"), read.Encode("né 😀x\n"));
        }
    }

    [Theory]
    [InlineData("""{"kind":"text-characters"}""", "must have the text 'characters'")]
    [InlineData("""{"kind":"text-characters","characters":7}""", "must have the text 'characters'")]
    [InlineData("""{"kind":"text-characters","characters":"aab"}""", "must ascend: U+0061 follows U+0061")]
    [InlineData("""{"kind":"text-characters","characters":"ba"}""", "must ascend: U+0061 follows U+0062")]
    public void A_vocabulary_that_was_not_written_so_is_refused(string json, string message)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Contains(message,
            Assert.Throws<FormatException>(() => Preprocessing.Read(document.RootElement)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_vocabulary_comes_from_the_training_part_alone()
    {
        var path = Write("a.txt", Encoding.UTF8.GetBytes(new string('a', 89) + "\n" + "zzzzzzzzzz"));
        var splits = TextDataset.Load("az", [path], texts => CharacterText.Fit(texts), 4);
        Assert.Equal("\na", ((CharacterText)splits.Train.Preprocessing!).Characters);
        Assert.Same(splits.Train.Preprocessing, splits.Validation.Preprocessing);
        Assert.Equal((22, 2), (splits.Train.Count, splits.Validation.Count));
        Assert.Equal([0L, 0, 0, 0], splits.Validation[0]["inputs"].ToArray<long>());
        Assert.Null(splits.Test);
    }

    [Fact]
    public void A_document_is_cut_between_characters_and_at_a_line_where_one_is_near()
    {
        var path = Write("a.txt", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("😀", 25))));
        var splits = TextDataset.Load("cut", [path], texts => CharacterText.Fit(texts), 1, validation: 0.3);
        Assert.Equal(25, ((TextDataset)splits.Train).TokenCount + ((TextDataset)splits.Validation).TokenCount);
        path = Write("b.txt", Encoding.UTF8.GetBytes(new string('a', 85) + "\n" + new string('b', 34)));
        Assert.Equal(86, ((TextDataset)TextDataset.Load("cut", [path], _ => new ByteText(), 2, validation: 0.3)
            .Train).TokenCount);
    }

    [Fact]
    public void Files_may_have_a_byte_order_mark()
    {
        foreach (var encoding in (Encoding[])[Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode,
            Encoding.UTF32, new UTF32Encoding(bigEndian: true, byteOrderMark: true)])
            Assert.Equal("né 😀", TextFile.Read(Write("a.txt", [.. encoding.Preamble, .. encoding.GetBytes("né 😀")])));
        Assert.Equal("né", TextFile.Read(Write("a.txt", "né"u8.ToArray())));
    }

    [Theory]
    [InlineData(new byte[0], "a.txt, offset 0: found an empty file, expected text; leave it out")]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF }, "a.txt, offset 3: found an empty file")]
    [InlineData(new byte[] { 0x61, 0x62, 0xE9, 0x63 }, "a.txt, offset 2: found the byte 0xe9, expected text in UTF-8; "
        + "convert it, as by iconv -f LATIN1 -t UTF-8")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x00, 0xD8, 0x41, 0x00 }, "expected text in UTF-16")]
    public void A_file_that_is_no_text_is_refused(byte[] bytes, string message)
    {
        var path = Write("a.txt", bytes);
        Assert.Contains(message, Assert.Throws<DataFormatException>(() => TextFile.Read(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_without_a_window_and_windows_without_tokens_are_refused()
    {
        string Fails(Func<object> call) => Assert.ThrowsAny<AdjointException>(call).Message;
        Assert.Equal("Dataset t: text 1 has 3 tokens, and a window takes 3 and the one after; use shorter windows, "
            + "join short documents, or leave it out",
            Fails(() => new TextDataset("t", ["abcd", "abc"], new ByteText(), 3)));
        Assert.Contains("at least one text is needed", Fails(() => new TextDataset("t", [], new ByteText(), 3)),
            StringComparison.Ordinal);
        Assert.Contains("length and stride of windows must be positive: found 0 and 0",
            Fails(() => new TextDataset("t", ["abc"], new ByteText(), 0)), StringComparison.Ordinal);
        Assert.Contains("found 2 and -1", Fails(() => new TextDataset("t", ["abc"], new ByteText(), 2, -1)),
            StringComparison.Ordinal);
        var path = Write("a.txt", "0123456789"u8.ToArray());
        Assert.Contains($"the validation part of {path} has 1 tokens, and a window takes 4",
            Fails(() => TextDataset.Load("t", [path], _ => new ByteText(), 4)), StringComparison.Ordinal);
        Assert.Contains("above 0 and below 1: found 1",
            Fails(() => TextDataset.Load("t", [path], _ => new ByteText(), 4, validation: 1)),
            StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => TextDataset.Load("t", [path + "x"], _ => new ByteText(), 4));
    }

    internal static JsonElement Json(Preprocessing preprocessing)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("kind", preprocessing.Kind);
            preprocessing.Write(json);
            json.WriteEndObject();
        }
        using var document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    private static string[] Inputs(TextDataset data) =>
        [.. Enumerable.Range(0, data.Count).Select(i => Text(data, data[i]["inputs"]))];

    private static string Text(Dataset data, Tensor tokens) => ((TextPreprocessing)data.Preprocessing!).Decode(
        Array.ConvertAll(tokens.ToArray<long>(), token => (int)token));

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
