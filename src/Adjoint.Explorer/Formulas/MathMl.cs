using System.Xml.Linq;

namespace Adjoint.Explorer;

/// <summary>
/// Sets the formulas of ops, plain text such as <c>∂L/∂x = g · p · xᵖ⁻¹</c>, as MathML. Known: fractions, roots,
/// superscripts and subscripts (², ᵀ, ᵢⱼ), <c>^</c> and <c>_</c> with a sign, (…) or {…}, brackets of indices, bars
/// |x|, Σ with what it runs over; words between formulas stay words. Nothing is lost: what cannot be set is shown as it
/// stands.
/// </summary>
internal static class MathMl
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵖʸˣᵏⁿⁱ";
    private const string SuperscriptSigns = "0123456789−+Tpyxkni";
    private const string Subscripts = "₀₁₂₃₄₅₆₇₈₉₋₊ᵢⱼₖₙₘ";
    private const string SubscriptSigns = "0123456789−+ijknm";

    // After so many signs a line may be broken before a sum or product.
    private const int LongFormula = 24;

    private static readonly HashSet<string> Functions =
        ["ln", "sin", "cos", "tanh", "sign", "min", "max", "mean", "erf", "softmax", "conv", "exp", "log"];

    private static readonly HashSet<string> LongNames = ["ky", "kx", "kh", "kw"];

    /// <summary>
    /// The formula as elements <c>math</c> with words between them, so that a line can be broken at words, before
    /// equals signs, and in long formulas before + and ·.
    /// </summary>
    internal static IReadOnlyList<object> Convert(string text) => new Reader(text).All();

    // A text, after a space where it does not begin the line.
    private static void AddWord(List<object> line, string word)
    {
        if (line.Count > 0 && !EndsWithSpace(line)) word = " " + word;
        AddText(line, word + " ");
    }

    private static void AddText(List<object> line, string text)
    {
        if (line.Count > 0 && line[^1] is string before) line[^1] = before + text;
        else line.Add(text);
    }

    private static bool EndsWithSpace(List<object> line) =>
        line.Count > 0 && line[^1] is string text && text.EndsWith(' ');

    private static void TrimEnd(List<object> line)
    {
        if (!EndsWithSpace(line)) return;
        var text = ((string)line[^1]).TrimEnd(' ');
        if (text.Length > 0) line[^1] = text;
        else line.RemoveAt(line.Count - 1);
    }

    private static XElement Operator(char sign) => new("mo", sign);

    private static XElement Row(params IEnumerable<object> parts) => new("mrow", parts);

    // Recursive descent over the characters. A sum is a row of atoms and operators; a fraction takes the products
    // beside its bar.
    private ref struct Reader(string text)
    {
        private int at;

        internal IReadOnlyList<object> All()
        {
            var (line, formula) = (new List<object>(), new List<XElement>());
            foreach (var part in Parts(closing: '\0'))
            {
                var isWord = part.Name == "mtext";
                var isSeparator = part.Attribute("separator") is not null;
                var sign = part.Name == "mo" && !part.HasAttributes ? part.Value : "";
                if (isWord || sign == "=") Close();
                if (isWord) AddWord(line, part.Value.Trim('\u00a0'));
                else if (isSeparator) Close(part.Value);
                else
                {
                    if (sign is "+" or "·" && formula.Sum(before => before.Value.Length) > LongFormula)
                    {
                        Close();
                        part.Add(new XAttribute("form", "infix"));
                    }
                    formula.Add(part);
                }
            }
            Close();
            TrimEnd(line);
            return line;

            void Close(string separator = "")
            {
                if (formula.Count > 0) line.Add(new XElement("math", formula));
                else if (separator.Length > 0) TrimEnd(line);
                if (formula.Count > 0 || separator.Length > 0) AddText(line, separator + " ");
                formula.Clear();
            }
        }

        private readonly char Next => at < text.Length ? text[at] : '\0';

        // Atoms and operators up to a closing bracket, which is left.
        private List<XElement> Parts(char closing)
        {
            var parts = new List<XElement>();
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
                    parts[^1] = new("mfrac", parts[^1], Scripted(closing));
                    continue;
                }
                parts.Add(Scripted(closing));
            }
            return parts;
        }

        // An atom with its superscript and subscript.
        private XElement Scripted(char closing)
        {
            var atom = Atom(closing);
            XElement? below = null, above = null;
            while (Next != '\0')
            {
                if (Subscripts.Contains(Next, StringComparison.Ordinal) && below is null)
                    below = Signs(Subscripts, SubscriptSigns);
                else if (Superscripts.Contains(Next, StringComparison.Ordinal) && above is null)
                    above = Signs(Superscripts, SuperscriptSigns);
                else if (Next is '^' && above is null) above = Argument();
                else if (Next is '_' && below is null) below = Argument();
                else if (Next == '\u0302')
                {
                    at++;
                    atom = new("mover", new XAttribute("accent", "true"), atom, Operator('^'));
                }
                else break;
            }
            return (below, above) switch
            {
                (null, null) => atom,
                (not null, null) => new("msub", atom, below),
                (null, not null) => new("msup", atom, above),
                _ => new("msubsup", atom, below, above),
            };
        }

        private XElement Atom(char closing)
        {
            if (at >= text.Length) return Row();
            var sign = text[at];
            if (char.IsAsciiDigit(sign)) return new("mn", While(static c => char.IsAsciiDigit(c) || c == '.'));
            if (sign == '∂')
            {
                at++;
                if (Next == '(') return Row(Operator('∂'), Group());
                return char.IsLetter(Next) ? Row([Operator('∂'), .. Differentiated()]) : Operator('∂');
            }
            if (sign is '(' or '[' or '{') return Group();
            if (sign == '|' && text.IndexOf('|', at + 1) > 0)
            {
                at++;
                var inner = Parts('|');
                at++;
                return Row([Operator('|'), .. inner, Operator('|')]);
            }
            if (sign == '√')
            {
                at++;
                return new("msqrt", Next == '(' ? Bare() : [Scripted(closing)]);
            }
            if (IsLetter(sign)) return Word();
            at++;
            return sign switch
            {
                '…' => new("mi", sign),
                ',' or ';' or ':' => new("mo", new XAttribute("separator", "true"), sign),
                '⌊' or '⌋' or '⌈' or '⌉' => new("mo", new XAttribute("stretchy", "false"), sign),
                _ => Operator(sign),
            };
        }

        // What stands behind ∂: a name with its superscript, subscript and indices, no more.
        private IEnumerable<XElement> Differentiated()
        {
            var name = Scripted('\0');
            return Next == '[' ? [name, Group()] : [name];
        }

        private XElement Word()
        {
            var start = at;
            var word = While(static c => IsLetter(c) || c is '-' or '’');
            // A hyphen belongs to a word only between letters.
            while (word.EndsWith('-')) (word, at) = (word[..^1], at - 1);
            if (word == "Σ") return new("mo", word);
            if (Functions.Contains(word)) return new("mi", word);
            if (word.Length == 1 && !IsWordAlone(start)) return Indexed(new("mi", word));
            if (word.Length <= 2 && LongNames.Contains(word)) return new("mi", word);
            if (word.Length == 2 && !char.IsAscii(word[0]))
                return Row(new XElement("mi", word[0]), new XElement("mi", word[1]));
            // A product without a sign, such as 2x or ex after a number, is two letters that English does not know.
            var before = start > 0 && text[start - 1] == ' ' ? "\u00a0" : "";
            return new("mtext", before + Possessive(word) + (Next == ' ' ? "\u00a0" : ""));
        }

        // Names with indices in brackets stay together, so that they can stand above a fraction's bar.
        private XElement Indexed(XElement name) => Next == '[' ? Row(name, Group()) : name;

        private string Possessive(string word)
        {
            if (Next != '\'' || at + 1 >= text.Length || text[at + 1] != 's') return word;
            at += 2;
            return word + "'s";
        }

        // "a" and "x's" within words.
        private readonly bool IsWordAlone(int start) => at < text.Length && (text[at] == '\''
            || text[start] == 'a' && at + 2 < text.Length && Next == ' '
                && char.IsAsciiLetterLower(text[at + 1]) && char.IsAsciiLetterLower(text[at + 2]));

        private XElement Group()
        {
            var (open, close) = (text[at], Closing(text[at]));
            var inner = Bare();
            return open == '{' ? Row(inner) : Row([Operator(open), .. inner, Operator(close)]);
        }

        private List<XElement> Bare()
        {
            var close = Closing(text[at]);
            at++;
            var inner = Parts(close);
            if (Next == close) at++;
            return inner;
        }

        // Behind ^ or _: a group, whose brackets go, or one sign with its own signs.
        private XElement Argument()
        {
            at++;
            if (Next is '(' or '{') return Row(Bare());
            return Next == '\0' ? Row() : Row(Scripted('\0'));
        }

        private XElement Signs(string from, string to)
        {
            var row = Row();
            while (Next != '\0' && from.IndexOf(Next, StringComparison.Ordinal) is >= 0 and var index)
            {
                var sign = to[index];
                row.Add(new XElement(char.IsAsciiDigit(sign) ? "mn" : char.IsLetter(sign) ? "mi" : "mo", sign));
                at++;
            }
            return row;
        }

        private static char Closing(char open) => open switch { '(' => ')', '[' => ']', _ => '}' };

        private static bool IsLetter(char sign) =>
            char.IsLetter(sign) && !(Superscripts + Subscripts).Contains(sign, StringComparison.Ordinal);

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
