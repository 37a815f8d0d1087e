using System.Diagnostics;
using Adjoint.Cli;
using Adjoint.Cli.Commands;

namespace Adjoint.SystemTests.Cli;

/// <summary>What a shell offers where Tab is pressed.</summary>
public sealed class CompletionCommandTests
{
    [Theory]
    [InlineData("adjoint tr", "train")]
    [InlineData("adjoint exp", "explore experiment")]
    [InlineData("adjoint data v", "verify")]
    [InlineData("adjoint data fetch f", "fashion-mnist")]
    [InlineData("adjoint train --optimizer ad", "adam adamw")]
    [InlineData("  adjoint train --dataset mnist --opt", "--optimizer")]
    [InlineData("adjoint train --out ", "")]
    [InlineData("adj", "")]
    [InlineData("", "")]
    public void The_words_that_fit_are_offered(string line, string words) =>
        Assert.Equal(words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
            CompletionCommand.Complete(line).Order());

    [Theory]
    [InlineData("adjoint train --optimizer ad", "adam adamw")]
    [InlineData("adjoint experiment run file-o", "file-of-mine.json")]
    public void The_script_completes_in_bash(string line, string words)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: bash as on Linux");
        var folder = Directory.CreateTempSubdirectory("adjoint-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "file-of-mine.json"), "{}");
            var script = ToolRun.Of("completion", "bash").Output;
            var typed = line.Split(' ');
            var asked = $$"""
                adjoint() { dotnet {{typeof(Tool).Assembly.Location}} "$@"; }
                {{script}}
                COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
                COMP_WORDS=({{line}}) COMP_CWORD={{typed.Length - 1}}
                _adjoint
                echo "${COMPREPLY[*]}"
                """;
            using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", asked])
            {
                RedirectStandardOutput = true,
                WorkingDirectory = folder.FullName,
            })!;
            Assert.Equal(words, bash.StandardOutput.ReadToEnd().Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
