using System.CommandLine;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint completion</c>: by which a shell completes commands, options and their values.</summary>
internal static class CompletionCommand
{
    // Where nothing of ours fits, such as after --out, names of files.
    private const string Bash =
        """
        _adjoint() {
            mapfile -t COMPREPLY < <(adjoint completion words -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
            (( ${#COMPREPLY[@]} )) || mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -F _adjoint adjoint
        """;

    internal static Command Create(TextWriter output)
    {
        var bash = new Command("bash", "Print the script for bash.");
        bash.SetAction(_ =>
        {
            output.WriteLine(Bash.ReplaceLineEndings("\n"));
            return 0;
        });
        var line = new Argument<string>("line") { Description = "The line up to the cursor, in quotes." };
        var words = new Command("words", "Print the words that complete a line: what the script asks.") { line };
        words.SetAction(parsed =>
        {
            foreach (var word in Complete(parsed.GetValue(line)!)) output.WriteLine(word);
            return 0;
        });
        return new GuidedCommand("completion", "Let a shell complete commands, options and their values.",
            [("source <(adjoint completion bash)", "For this shell; in ~/.bashrc for every shell.")]) { bash, words };
    }

    /// <summary>The words that complete a line, which begins with the name of the tool.</summary>
    internal static IEnumerable<string> Complete(string line)
    {
        var typed = line.TrimStart();
        var (first, last) = (typed.IndexOf(' ', StringComparison.Ordinal), typed.LastIndexOf(' '));
        if (first < 0) return [];
        var parsed = Tool.Commands(TextWriter.Null, TextWriter.Null).Parse(typed[(first + 1)..]);
        // Names of two letters, such as -h, are for who knows them.
        return parsed.GetCompletions().Select(one => one.Label)
            .Where(word => (word.Length > 2 || word[0] != '-')
                && word.StartsWith(typed[(last + 1)..], StringComparison.Ordinal));
    }
}
