using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Formats;
using Adjoint.Generation;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Tests.Generation;

namespace Adjoint.SystemTests.Cli;

/// <summary>The tool writes what the model says, and says in one line why where it cannot.</summary>
public sealed class SampleCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;

    static SampleCommandTests() => ModuleRegistry.Register<MarkovModel>();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_text_begins_with_its_prompt_and_goes_on_by_the_options()
    {
        Save("abc", 1);
        Assert.Equal("bcabcabc", Text("--prompt", "b", "--tokens", "7"));
        Assert.Equal("abcabc", Text("--prompt", "a", "--tokens", "5", "--top-k", "1"));
        Assert.Equal("bc", Text("--prompt", "b", "--stop", "abc"));
        Assert.Equal("cab", Text("--prompt", "c", "--tokens", "2", "--temperature", "0", "--top-p", "0"));
        Assert.Equal(201, Text("--prompt", "a").Length);
        Assert.Equal("b", Text("--prompt", "b", "--tokens", "0"));
    }

    [Fact]
    public void A_text_to_stop_at_may_have_a_line_break()
    {
        Save("ab\nc", 1);
        Assert.Equal("cab", Text("--prompt", "c", "--stop", @"\n"));
        // Without a prompt it goes on from a line break, which is not shown.
        Assert.Equal("c", Text("--stop", @"ab\n"));
    }

    [Fact]
    public void A_prompt_may_begin_with_a_sign_that_command_lines_know()
    {
        Save("@a", 1);
        Assert.Equal("@a@", Text("--prompt", "@", "--tokens", "2"));
        Assert.Equal("@a@a", Text("--prompt", "@a", "--tokens", "2"));
    }

    [Fact]
    public void A_seed_gives_the_same_text_and_another_one_another()
    {
        Save("abcdefgh\n", 0.9);
        var text = Text("--seed", "3");
        Assert.Equal(text, Text("--seed", "3"));
        Assert.NotEqual(text, Text("--seed", "4"));
        Assert.NotEqual(text, Text("--seed", "3", "--temperature", "9"));
    }

    [Fact]
    public void As_JSON_it_is_one_object()
    {
        Save("a\e\n", 1);
        var (code, output, error) = ToolRun.Of("sample", folder, "--prompt", "a", "--tokens", "4", "--json");
        Assert.Equal((0, ""), (code, error));
        var json = JsonDocument.Parse(Assert.Single(output.TrimEnd().Split('\n'))).RootElement;
        Assert.Equal(("a", "\e\na\e"), (json.GetProperty("prompt").GetString(), json.GetProperty("text").GetString()));
        Assert.Equal([2, 1, 3, 2], json.GetProperty("tokens").EnumerateArray().Select(one => one.GetInt32()));
        Assert.True(json.GetProperty("tokensPerSecond").GetDouble() > 0);
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public void What_the_model_does_not_see_is_told()
    {
        Save("abc", 1);
        var (code, _, error) = ToolRun.Of("sample", folder, "--prompt", "aé\e😀b", "--tokens", "1");
        Assert.Equal(0, code);
        Assert.Equal("adjoint: the model did not learn these characters of the prompt: é \\u001b 😀\n",
            error.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_published_folder_writes_what_its_weights_say()
    {
        var model = new Gpt(new() { Vocabulary = 257, Context = 8, Width = 4, Heads = 1, Layers = 1 }, new(1));
        Gpt2Layout.Save(model, folder);
        var symbols = Enumerable.Range(0, 256)
            .Select(value => value is > 32 and < 127 or > 160 and not 173 ? (char)value : '\0').ToArray();
        var next = 256;
        for (var i = 0; i < 256; i++) if (symbols[i] == '\0') symbols[i] = (char)next++;
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(
            symbols.Select((symbol, i) => ($"{symbol}", i)).Append(("ab", 256)).ToDictionary()));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\na b\n");
        var (code, output, error) = ToolRun.Of("sample", folder, "--prompt", "xab", "--tokens", "3", "--json");
        Assert.Equal((0, ""), (code, error));
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(3, json.GetProperty("tokens").GetArrayLength());
        // The same as the library says of the same weights and tokens.
        var text = BpeText.Load(Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        Assert.Equal(['x', 256], text.Encode("xab"));
        Assert.Equal(
            new TextGenerator(model.Eval(), text).GenerateTokens("xab", new() { MaxTokens = 3 })
                .Select(one => one.Token),
            json.GetProperty("tokens").EnumerateArray().Select(one => one.GetInt32()));
        File.Delete(Path.Combine(folder, "merges.txt"));
        Refuse("merges.txt", folder);
    }

    [Fact]
    public void What_is_no_language_model_is_refused_with_a_remedy()
    {
        Refuse("no such folder or file; name the folder of a run", Path.Combine(folder, "nowhere"));
        Refuse("holds no best.safetensors", folder);
        var path = Path.Combine(folder, "best.safetensors");
        new Linear(2, 1).Save(path);
        Refuse("its model learned from data that its file does not describe and is no language model; train one: "
            + "adjoint train --model gpt", folder);
        new MarkovModel(new double[2, 2]).Save(path);
        Refuse("its file does not say how texts become tokens; train one", folder);
        new MarkovModel(new double[2, 2]).Save(path, new() { Preprocessing = CharacterText.Fit("ab") });
        Refuse("the model must have an output for each of the 3 tokens", folder);
        Save("ab", 1);
        Refuse("a prompt of one character or more is needed", folder);
        Assert.Contains("adjoint sample", ToolRun.Of("predict", folder, path).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_wrong_usage()
    {
        Save("ab\n", 1);
        foreach (var (option, value, range) in ((string, string, string)[])
            [("--temperature", "-1", "0 or more"), ("--temperature", "NaN", ""), ("--top-k", "0", "1 or more"),
                ("--top-p", "1.01", "0 to 1"), ("--tokens", "-1", "0 or more"), ("--seed", "-1", "")])
            Assert.Matches($"^adjoint: {option}: .*{range}", ToolRun.Refused("sample", folder, $"{option}={value}"));
        Assert.Equal("adjoint: --prompt: is empty; give it a value", ToolRun.Refused("sample", folder, "--prompt", ""));
        Assert.Contains("needs <run>", ToolRun.Refused("sample"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_terminal_sees_lines_and_tabs_and_no_commands()
    {
        var text = new TerminalText();
        Assert.Equal("a\tb\n", text.Next("a\tb\r\n"));
        Assert.Equal(@"\u001b[31m", text.Next("\e[31m"));
        // Line ends of two characters may come in two parts.
        Assert.Equal("c", text.Next("c\r"));
        Assert.Equal("\nd", text.Next("\nd\r"));
        Assert.Equal(@"\r\r" + "\n", text.Next("\r\r\n"));
        Assert.Equal("é😀\\u202e\\u0000", text.Next("é😀\u202e\0"));
    }

    private static void Refuse(string part, string path)
    {
        var (code, output, error) = ToolRun.Of("sample", path);
        Assert.Equal((Tool.Failure, ""), (code, output));
        Assert.Contains(part, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private string Text(params string[] options)
    {
        var (code, output, error) = ToolRun.Of(["sample", folder, .. options]);
        Assert.Equal((0, ""), (code, error));
        Assert.EndsWith("\n", output, StringComparison.Ordinal);
        var text = output.ReplaceLineEndings("\n");
        // A line break is added to a text that does not end in one.
        return text.Length > 1 && text[^2] == '\n' ? text : text[..^1];
    }

    // Each character follows the one before with nearly this probability, the first the last.
    private void Save(string characters, double certainty)
    {
        var text = CharacterText.Fit(characters);
        var probabilities = new double[text.Size, text.Size];
        var order = text.Encode(characters);
        for (var i = 0; i < text.Size; i++)
            for (var j = 0; j < text.Size; j++) probabilities[i, j] = (1 - certainty + 1e-30) / text.Size;
        for (var i = 0; i < order.Length; i++) probabilities[order[i], order[(i + 1) % order.Length]] += certainty;
        new MarkovModel(probabilities).Save(
            Path.Combine(folder, "best.safetensors"), new() { Task = "next-token", Preprocessing = text });
    }
}
