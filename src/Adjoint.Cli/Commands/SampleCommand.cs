using System.CommandLine;
using System.Diagnostics;
using System.Text;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Formats;
using Adjoint.Generation;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint sample</c>: text from a language model, as it comes.</summary>
internal static class SampleCommand
{
    private static readonly GenerationOptions Defaults = new();

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Argument<string>("run")
        {
            Description = "The folder of a run, whose best model is taken; a model file (.safetensors); or a folder "
                + "of GPT-2 as it is published: config.json, weights, vocab.json and merges.txt.",
        };
        var prompt = SettingOption.Of(new TextSetting("prompt")
        {
            Help = "The text to go on from; - reads standard input, without its last line break. "
                + "Left out, the model begins a line.",
            ValueName = "text",
        });
        var temperature = SettingOption.Of(new NumberSetting<double>("temperature")
        {
            Help = "Below 1 likely tokens become likelier, above 1 unlikely ones; 0 always takes the most likely.",
            Range = new() { AtLeast = 0, Words = "0 or more" },
            Default = Defaults.Temperature,
        });
        var topK = SettingOption.Of(new NumberSetting<int>("top-k")
        {
            Help = "Draw from this many of the most likely tokens only.",
            Range = new() { AtLeast = 1, Words = "1 or more" },
        });
        var topP = SettingOption.Of(new NumberSetting<double>("top-p")
        {
            Help = "Draw from the fewest of the most likely tokens that have this probability together.",
            Range = new() { AtLeast = 0, AtMost = 1, Words = "0 to 1" },
            Default = Defaults.TopP,
        });
        var seed = SettingOption.Of(new NumberSetting<ulong>("seed")
        {
            Help = "Another seed gives another text, the same one the same.",
            Default = Defaults.Seed,
        });
        var tokens = SettingOption.Of(new NumberSetting<int>("tokens")
        {
            Help = "The most tokens to generate.",
            Range = new() { AtLeast = 0, Words = "0 or more" },
            Default = Defaults.MaxTokens,
        });
        var stop = SettingOption.Of(new TextSetting("stop")
        {
            Help = @"Stop before this text; \n in it is a line break.",
            ValueName = "text",
        });
        var asJson = SettingOption.Of(new FlagSetting("json")
        {
            Help = "Print one JSON object at the end: prompt, text, tokens, tokens per second.",
        });
        var command = new GuidedCommand("sample", "Let a language model write.",
        [
            ("adjoint sample runs/1 --prompt Once", "What follows that word, token by token."),
            ("adjoint sample runs/1 --temperature 0.8 --top-p 0.95 --seed 7", "Likely tokens only, another text."),
            ("adjoint sample runs/1 --prompt - --json", "What follows standard input, as JSON."),
            ("adjoint sample gpt2 --prompt Once", "What GPT-2 writes, in a folder as it is published."),
        ],
        new("Text", [prompt, tokens, stop]), new("Choice of tokens", [temperature, topK, topP, seed]),
        new("Output", [asJson])) { model };
        command.SetAction(parsed =>
        {
            var generator = Load(parsed.GetValue(model)!);
            GenerationOptions options = new()
            {
                Temperature = parsed.GetValue(temperature),
                TopK = topK.IsGiven(parsed) ? parsed.GetValue(topK) : null,
                TopP = parsed.GetValue(topP),
                Seed = parsed.GetValue(seed),
                MaxTokens = parsed.GetValue(tokens),
                Stop = parsed.GetValue(stop) is { } text ? [text.Replace(@"\n", "\n", StringComparison.Ordinal)] : [],
            };
            var begin = parsed.GetValue(prompt) switch
            {
                null => "",
                "-" => ReadInput(),
                var given => given,
            };
            foreach (var note in Notes(generator, begin)) error.WriteLine($"adjoint: {Printable.Line(note)}");
            return parsed.GetValue(asJson)
                ? WriteJson(generator, begin, options, output)
                : WriteText(generator, begin, options, output);
        });
        return command;
    }

    private static int WriteText(TextGenerator generator, string prompt, GenerationOptions options, TextWriter output)
    {
        var terminal = Terminal.IsSeenOutput(output) ? new TerminalText() : null;
        var isLineBegun = false;
        using var interrupt = new Interrupt();
        try
        {
            Write(prompt);
            foreach (var text in generator.Generate(prompt, options, interrupt.Token)) Write(text);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return Tool.Interrupted;
        }
        finally
        {
            if (isLineBegun) output.WriteLine();
        }

        void Write(string text)
        {
            if (text.Length == 0) return;
            output.Write(terminal is null ? text : terminal.Next(text));
            output.Flush();
            isLineBegun = text[^1] != '\n';
        }
    }

    private static int WriteJson(TextGenerator generator, string prompt, GenerationOptions options, TextWriter output)
    {
        var (text, tokens, code) = (new StringBuilder(), new List<int>(), 0);
        using var interrupt = new Interrupt();
        var watch = Stopwatch.StartNew();
        try
        {
            foreach (var one in generator.GenerateTokens(prompt, options, interrupt.Token))
            {
                text.Append(one.Text);
                tokens.Add(one.Token);
            }
        }
        catch (OperationCanceledException)
        {
            code = Tool.Interrupted;
        }
        var seconds = watch.Elapsed.TotalSeconds;
        output.WriteLine(RunJson.Text(json =>
        {
            json.WriteStartObject();
            json.WriteString("prompt", prompt);
            json.WriteString("text", text.ToString());
            json.WriteStartArray("tokens");
            foreach (var token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            json.WriteNumber("tokensPerSecond", Math.Round(tokens.Count / seconds, 1));
            json.WriteEndObject();
        }));
        return code;
    }

    // The model sees less, or something else, than was written.
    private static IEnumerable<string> Notes(TextGenerator generator, string prompt)
    {
        if (generator.Unknown(prompt) is { Count: > 0 } unknown)
            yield return
                $"the model did not learn {(unknown.Count == 1 ? "this character" : "these characters")} of the prompt:"
                + $" {DataFormatException.Abbreviate(string.Join(' ', unknown))}";
        var length = generator.Text.Encode(prompt).Length;
        if (length > generator.Model.MaxLength)
            yield return
                $"the prompt has {length} tokens, and the model sees the last {generator.Model.MaxLength} of them";
    }

    private static TextGenerator Load(string path)
    {
        if (File.Exists(Path.Combine(path, "config.json")))
            return new(Gpt2Layout.Load(path),
                BpeText.Load(Path.Combine(path, "vocab.json"), Path.Combine(path, "merges.txt")));
        var file = ModelFile.Read(SavedModel.PathOf(path));
        const string remedy = "train one: adjoint train --model gpt --data book.txt";
        if (file.Model is not LanguageModel)
            throw new AdjointException(
                $"{path}: its model learned from {SavedModel.Learned(file.Info.Preprocessing)} and is no language "
                + $"model; {remedy}");
        if (file.Info.Preprocessing is not TextPreprocessing)
            throw new AdjointException($"{path}: its file does not say how texts become tokens; {remedy}");
        return new(file);
    }

    private static string ReadInput()
    {
        using var input = new SpooledInput(Console.OpenStandardInput());
        try
        {
            var text = TextFile.Read(input.Path);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2]
                : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (AdjointException problem)
        {
            throw input.Rename(problem);
        }
    }
}
