using System.Text;
using Adjoint.Data;

namespace Adjoint.Cli;

/// <summary>Options whose value is a command, or options of another program.</summary>
internal static class QuotedWords
{
    /// <summary>Splits a text into words, as a shell would, with quotes around blanks.</summary>
    /// <param name="text">The value of the option.</param>
    /// <param name="option">Its name, for messages.</param>
    /// <exception cref="UsageException">A quote is not closed.</exception>
    internal static IReadOnlyList<string> Split(string text, string option)
    {
        var (found, word, quote, isWord) = (new List<string>(), new StringBuilder(), '\0', false);
        foreach (var letter in text)
            if (quote != '\0' && letter == quote) quote = '\0';
            else if (quote == '\0' && letter is '"' or '\'') (quote, isWord) = (letter, true);
            else if (quote != '\0' || !char.IsWhiteSpace(letter))
            {
                word.Append(letter);
                isWord = true;
            }
            else End();
        if (quote != '\0') throw new UsageException($"{option}: {quote} is not closed: {ShellWord.Quote(text)}");
        End();
        return found;

        void End()
        {
            if (isWord) found.Add(word.ToString());
            word.Clear();
            isWord = false;
        }
    }
}
