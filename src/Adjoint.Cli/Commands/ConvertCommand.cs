using System.CommandLine;
using System.Globalization;
using Adjoint.Experiments;
using Adjoint.Nn;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint convert</c>: a file of tensors in another format, under other names, in another type.</summary>
internal static class ConvertCommand
{
    private static readonly string[] Types =
        [.. Enum.GetValues<DType>().Where(type => type.IsFloating()).Select(type => type.Label())];

    internal static Command Create(TextWriter output)
    {
        var from = new Argument<string>("from") { Description = WeightsPath.Description };
        var to = new Argument<string>("to")
        {
            Description = "The file to write: .safetensors, .pt, .npz, or .npy for one tensor; "
                + "with --shard-size a folder.",
        };
        var rename = SettingOption.Repeated(new TextSetting("rename")
        {
            Help = Renaming.RulesHelp,
            ValueName = "rules",
            Check = Renaming.Check,
        });
        var table = SettingOption.Of(new TextSetting("rename-table")
        {
            Help = "Rename by a JSON file: an object of old names or patterns and new ones.",
            ValueName = "file",
        });
        var only = SettingOption.Repeated(new TextSetting("only")
        {
            Help = "Write only the tensors with this name, or that fit this pattern, such as encoder.**.",
            ValueName = "pattern",
        });
        var type = SettingOption.Of(new TextSetting("dtype")
        {
            Help = "Convert floating-point tensors to this type:",
            ValueName = "type",
            Choices = Types,
        });
        var shardSize = SettingOption.Of(new TextSetting("shard-size")
        {
            Help = "Write several files of at most so many bytes, such as 5GB, and their index.",
            ValueName = "bytes",
            Check = text => BytesOf(text) is null ? $"'{text}' is no size; write a number with kB, MB or GB" : null,
        });
        var force = SettingOption.Of(new FlagSetting("force") { Help = "Replace what is there." });
        var command = new GuidedCommand("convert", "Convert a file of tensors: format, names, types.",
        [
            ("adjoint convert resnet18.pt resnet18.safetensors", "PyTorch's weights as safetensors."),
            ("adjoint convert parallel.pt model.npz --rename module.**=**", "For NumPy, without a prefix."),
            ("adjoint convert runs/1 small.safetensors --dtype float16", "The best model of a run in half the bytes."),
            ("adjoint convert large.safetensors shards/ --shard-size 5GB", "In several files."),
        ],
        new OptionGroup("What is written", [rename, table, only, type, shardSize, force])) { from, to };
        command.SetAction(parsed =>
        {
            var (source, path) = (parsed.GetValue(from)!, parsed.GetValue(to)!);
            var target = WeightsTarget.Of(path, parsed.GetValue(shardSize) is { } size ? BytesOf(size) : null);
            if (target.Exists && !parsed.GetValue(force))
                throw new AdjointException($"{path}: exists; name another file, or replace it with --force");
            string[] rules = [.. (parsed.GetValue(rename) ?? []).SelectMany(Renaming.Split)];
            using var file = WeightsPath.Open(source);
            Renaming.RequireUse("--rename", rules, [.. file.Entries.Select(entry => entry.Name)], source);
            var names = NameMap.Parse(rules);
            if (parsed.GetValue(table) is { } json) names.AddTable(json);
            var conversion = new Conversion(file, source)
            {
                Only = parsed.GetValue(only) ?? [],
                Names = names,
                Type = parsed.GetValue(type) is { } label
                    ? Enum.GetValues<DType>().Single(one => one.Label() == label) : null,
            };
            foreach (var line in conversion.Write(target)) output.WriteLine(Printable.Line(line));
            return 0;
        });
        return command;
    }

    // Decimal units, as sizes of files have; null: it is none.
    private static long? BytesOf(string text)
    {
        var digits = text.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.').Count();
        long? unit = text[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => null,
        };
        return unit is not null && double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out var number) && number * unit is >= 1 and < 1e18 and var bytes
            ? (long)bytes : null;
    }
}
