using System.Globalization;
using System.Net;
using System.Text;

namespace Adjoint.Exploring;

/// <summary>
/// Sets the formulas of ops, plain text such as <c>∂L/∂x = g · p · xᵖ⁻¹</c>, as MathML. Known: fractions, roots, raised and lowered signs (², ᵀ, ᵢⱼ), <c>^</c> and <c>_</c> with a
/// sign, (…) or {…}, brackets of indices, bars |x|, Σ with what it runs over; words between formulas stay words. Nothing is lost: what cannot be set is shown as it stands.
/// </summary>
internal static class MathMl
{
    private const string Raised = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵖʸˣᵏⁿⁱ";
    private const string RaisedAs = "0123456789−+Tpyxkni";
    private const string Lowered = "₀₁₂₃₄₅₆₇₈₉₋₊ᵢⱼₖₙₘ";
    private const string LoweredAs = "0123456789−+ijknm";
    // After so many signs a line may be broken before a sum or product.
    private const int LongFormula = 24;
    private static readonly HashSet<string> Functions = ["ln", "sin", "cos", "tanh", "sign", "min", "max", "mean", "erf", "softmax", "conv", "exp", "log"];
    private static readonly HashSet<string> LongNames = ["ky", "kx", "kh", "kw"];

    /// <summary>The formula as elements <c>math</c> with words between them, so that a line can be broken at words, before equals signs, and in long formulas before + and ·.</summary>
    internal static string Convert(string text) => new Reader(text).All();

    // Recursive descent over the characters. A sum is a row of atoms and operators; a fraction takes the products beside its bar.
    private ref struct Reader(string text)
    {
        private int at;

        internal string All()
        {
            var (result, formula) = (new StringBuilder(), new StringBuilder());
            foreach (var part in Parts(closing: '\0'))
            {
                var isWord = part.StartsWith("<mtext>", StringComparison.Ordinal);
                var ends = part.StartsWith("<mo separator", StringComparison.Ordinal);
                if (isWord || part == "<mo>=</mo>") Close();
                if (isWord) result.Append(result.Length > 0 && result[^1] != ' ' ? " " : "").Append(part["<mtext>".Length..^"</mtext>".Length].Trim('\u00a0')).Append(' ');
                else if (part is "<mo>+</mo>" or "<mo>&#183;</mo>" && Length(formula.ToString()) > LongFormula)
                {
                    Close();
                    formula.Append(part.Replace("<mo>", "<mo form=\"infix\">", StringComparison.Ordinal));
                }
                else if (ends) Close(part["<mo separator=\"true\">".Length].ToString());
                else formula.Append(part);
            }
            Close();
            return result.ToString().TrimEnd();

            void Close(string after = "")
            {
                if (formula.Length > 0) result.Append("<math>").Append(formula).Append("</math>");
                else if (after.Length > 0) result.Length -= result.Length > 0 && result[^1] == ' ' ? 1 : 0;
                result.Append(after).Append(formula.Length > 0 || after.Length > 0 ? " " : "");
                formula.Clear();
            }
        }

        // How many signs are seen of a piece of markup.
        private static int Length(string markup)
        {
            var (length, isHidden) = (0, false);
            foreach (var sign in markup)
            {
                if (sign is '<' or '&') isHidden = true;
                if (!isHidden || sign == ';') length++;
                if (sign is '>' or ';') isHidden = false;
            }
            return length;
        }

        private readonly char Next => at < text.Length ? text[at] : '\0';

        // Atoms and operators up to a closing bracket, which is left.
        private string Row(char closing) => string.Concat(Parts(closing));

        private List<string> Parts(char closing)
        {
            var parts = new List<string>();
            while (at < text.Length && text[at] != closing)
            {
                if (text[at] == ' ')
                {
                    at++;
                    continue;
                }
                if (text[at] == '/' && parts.Count > 0)
                {
                    at++;
                    SkipSpaces();
                    var below = Scripted(closing);
                    parts[^1] = $"<mfrac>{parts[^1]}{below}</mfrac>";
                    continue;
                }
                parts.Add(Scripted(closing));
            }
            return parts;
        }

        // An atom with what is raised and lowered behind it.
        private string Scripted(char closing)
        {
            var atom = Atom(closing);
            string? below = null, above = null;
            while (true)
            {
                if (Lowered.Contains(Next, StringComparison.Ordinal) && below is null && Next != '\0') below = Signs(Lowered, LoweredAs);
                else if (Raised.Contains(Next, StringComparison.Ordinal) && above is null && Next != '\0') above = Signs(Raised, RaisedAs);
                else if (Next is '^' && above is null) above = Argument();
                else if (Next is '_' && below is null) below = Argument();
                else if (Next == '\u0302')
                {
                    at++;
                    atom = $"<mover accent=\"true\">{atom}<mo>^</mo></mover>";
                }
                else break;
            }
            return (below, above) switch
            {
                (null, null) => atom,
                (not null, null) => $"<msub>{atom}{below}</msub>",
                (null, not null) => $"<msup>{atom}{above}</msup>",
                _ => $"<msubsup>{atom}{below}{above}</msubsup>",
            };
        }

        private string Atom(char closing)
        {
            if (at >= text.Length) return "<mrow></mrow>";
            var sign = text[at];
            if (char.IsAsciiDigit(sign)) return $"<mn>{While(static c => char.IsAsciiDigit(c) || c == '.')}</mn>";
            if (sign == '∂')
            {
                at++;
                if (Next == '(') return $"<mrow><mo>∂</mo>{Group()}</mrow>";
                return at < text.Length && char.IsLetter(Next) ? $"<mrow><mo>∂</mo>{Differentiated()}</mrow>" : "<mo>∂</mo>";
            }
            if (sign is '(' or '[' or '{') return Group();
            if (sign == '|' && text.IndexOf('|', at + 1) > 0)
            {
                at++;
                var inner = Row('|');
                at++;
                return $"<mrow><mo>|</mo>{inner}<mo>|</mo></mrow>";
            }
            if (sign == '√')
            {
                at++;
                return Next == '(' ? $"<msqrt>{Bare()}</msqrt>" : $"<msqrt>{Scripted(closing)}</msqrt>";
            }
            if (char.IsLetter(sign) && !Raised.Contains(sign, StringComparison.Ordinal) && !Lowered.Contains(sign, StringComparison.Ordinal)) return Word();
            at++;
            return sign switch
            {
                '…' => "<mi>…</mi>",
                ',' or ';' or ':' => $"<mo separator=\"true\">{sign}</mo>",
                '⌊' or '⌋' or '⌈' or '⌉' => $"<mo stretchy=\"false\">{sign}</mo>",
                _ => $"<mo>{WebUtility.HtmlEncode(sign.ToString())}</mo>",
            };
        }

        // What stands behind ∂: a name with its raised and lowered signs and its indices, no more.
        private string Differentiated()
        {
            var name = Scripted('\0');
            return Next == '[' ? $"{name}{Group()}" : name;
        }

        private string Word()
        {
            var start = at;
            var word = While(static c => char.IsLetter(c) && !Raised.Contains(c, StringComparison.Ordinal) && !Lowered.Contains(c, StringComparison.Ordinal) || c is '-' or '’');
            // A hyphen belongs to a word only between letters.
            while (word.EndsWith('-')) (word, at) = (word[..^1], at - 1);
            if (word == "Σ") return "<mo>Σ</mo>";
            if (Functions.Contains(word)) return $"<mi>{word}</mi>";
            if (word.Length == 1 && !IsWordAlone(start)) return Indexed($"<mi>{word}</mi>");
            if (word.Length <= 2 && LongNames.Contains(word)) return $"<mi>{word}</mi>";
            if (word.Length == 2 && !char.IsAscii(word[0])) return $"<mrow><mi>{word[0]}</mi><mi>{word[1]}</mi></mrow>";
            // A product without a sign, such as 2x or ex after a number, is two letters that English does not know.
            return $"<mtext>{(Spaced(start) ? "\u00a0" : "")}{Possessive(word)}{(Next == ' ' ? "\u00a0" : "")}</mtext>";
        }

        // Names with indices in brackets stay together, so that they can stand above a fraction's bar.
        private string Indexed(string name) => Next == '[' ? $"<mrow>{name}{Group()}</mrow>" : name;

        private string Possessive(string word)
        {
            if (Next != '\'' || at + 1 >= text.Length || text[at + 1] != 's') return word;
            at += 2;
            return word + "'s";
        }

        // "a" and "x's" within words.
        private readonly bool IsWordAlone(int start) => at < text.Length && text[at] == '\'' || text[start] == 'a' && at + 1 < text.Length && Next == ' ' && char.IsAsciiLetterLower(text[at + 1]) && at + 2 < text.Length && char.IsAsciiLetterLower(text[at + 2]);

        private readonly bool Spaced(int start) => start > 0 && text[start - 1] == ' ';

        private string Group()
        {
            var (open, close) = (text[at], text[at] switch { '(' => ')', '[' => ']', _ => '}' });
            var inner = Bare();
            return open == '{' ? $"<mrow>{inner}</mrow>" : $"<mrow><mo>{open}</mo>{inner}<mo>{close}</mo></mrow>";
        }

        private string Bare()
        {
            var close = text[at] switch { '(' => ')', '[' => ']', _ => '}' };
            at++;
            var inner = Row(close);
            if (Next == close) at++;
            return inner;
        }

        // Behind ^ or _: a group, whose brackets go, or one sign with its own signs.
        private string Argument()
        {
            at++;
            if (Next is '(' or '{') return $"<mrow>{Bare()}</mrow>";
            return Next == '\0' ? "<mrow></mrow>" : $"<mrow>{Scripted('\0')}</mrow>";
        }

        private string Signs(string from, string to)
        {
            var result = new StringBuilder("<mrow>");
            while (Next != '\0' && from.IndexOf(Next, StringComparison.Ordinal) is >= 0 and var index)
            {
                var sign = to[index];
                var element = char.IsAsciiDigit(sign) ? "mn" : char.IsLetter(sign) ? "mi" : "mo";
                result.Append(CultureInfo.InvariantCulture, $"<{element}>{sign}</{element}>");
                at++;
            }
            return result.Append("</mrow>").ToString();
        }

        private string While(Func<char, bool> belongs)
        {
            var start = at;
            while (at < text.Length && belongs(text[at])) at++;
            return text[start..at];
        }

        private void SkipSpaces()
        {
            while (Next == ' ') at++;
        }
    }
}
