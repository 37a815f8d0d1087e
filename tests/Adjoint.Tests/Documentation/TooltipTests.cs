using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Adjoint.Tests.Documentation;

/// <summary>
/// What an editor shows of a public member stands alone: a summary, every parameter and the result, each in words
/// enough to say something. Read from the XML files that the compiler writes beside the assemblies.
/// </summary>
public partial class TooltipTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private const int FewestWords = 3;

    // Enough words, and nothing said.
    private static readonly string[] Empty =
        ["the only one", "one of them", "what it is", "as it is", "of the same", "the others", "see the above"];

    [Theory]
    [InlineData("Adjoint")]
    [InlineData("Adjoint.Formats")]
    [InlineData("Adjoint.Hosting")]
    [InlineData("Adjoint.TensorBoard")]
    [InlineData("Adjoint.Mpi")]
    [InlineData("Adjoint.Experiments")]
    [InlineData("Adjoint.Explorer")]
    public void A_public_member_says_what_it_is_takes_and_returns(string assembly)
    {
        var library = Assembly.Load(assembly);
        var texts = Texts(library);
        var members = library.GetExportedTypes().Where(type => !IsMarker(type)).SelectMany(Members).ToArray();
        Assert.NotEmpty(members);
        var problems = members.SelectMany(member => Problems(member, texts)).ToArray();
        Assert.True(problems.Length == 0, string.Join('\n', problems));
    }

    // A test that cannot fail shows nothing.
    [Theory]
    [InlineData("<summary>Enough words here.</summary><param name='value'>The number to add.</param>", "returns")]
    [InlineData("<summary>Enough words here.</summary><returns>The sum of both.</returns>", "param value")]
    [InlineData("<summary>To what.</summary><param name='value'>The number to add.</param>"
        + "<returns>The sum of both.</returns>", "summary")]
    [InlineData("<summary>Enough words here.</summary><param name='value'>a.</param>"
        + "<returns>The sum of both.</returns>", "param value")]
    [InlineData("<summary>The only one.</summary><param name='value'>The number to add.</param>"
        + "<returns>The sum of both.</returns>", "summary")]
    public void What_is_missing_or_empty_is_found(string text, string expected)
    {
        var method = typeof(TooltipTests).GetMethod(nameof(Sample), Declared)!;
        var problem =
            Assert.Single(Problems(method, new() { [Id(method)] = XElement.Parse($"<member>{text}</member>") }));
        Assert.EndsWith(expected, problem, StringComparison.Ordinal);
    }

    private static int Sample(int value) => value;

    private static IEnumerable<MemberInfo> Members(Type type)
    {
        yield return type;
        if (IsDelegate(type)) yield break;
        foreach (var member in type.GetMembers(Declared))
        {
            var isOpen = member switch
            {
                MethodBase method => IsOpen(method) && (!method.IsSpecialName || method.Name.StartsWith("op_")
                    || method.IsConstructor),
                PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOpen),
                FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
                _ => false,
            };
            if (isOpen && !member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)) yield return member;
        }
    }

    private static bool IsOpen(MethodBase method) => method.IsPublic
        || (method.IsFamily || method.IsFamilyOrAssembly) && !method.DeclaringType!.IsSealed;

    private static IEnumerable<string> Problems(MemberInfo member, Dictionary<string, XElement> texts)
    {
        var id = Id(member);
        if (!texts.TryGetValue(id, out var text))
        {
            // A constructor that the compiler adds takes nothing; a group of extension members is no type of a program.
            if (member is ConstructorInfo { IsStatic: false } added && added.GetParameters().Length == 0
                || member is Type group && IsGroup(group)) yield break;
            yield return $"{id}: no text";
            yield break;
        }
        var inherited = text.Element("inheritdoc");
        if (inherited is not null && text.Element("summary") is null
            && (inherited.Attribute("cref") is not null || Inherits(member))) yield break;
        if (inherited?.Attribute("cref")?.Value is { } source && texts.TryGetValue(source, out var origin))
            text = new XElement("member", text.Elements(), origin.Elements().Where(part => part.Name != "summary"));
        if (IsEmpty(text.Element("summary"))) yield return $"{id}: summary";
        var method = member as MethodBase
            ?? (member as Type is { } type && IsDelegate(type) ? type.GetMethod("Invoke") : null);
        var parameters = method?.GetParameters() ?? (member as PropertyInfo)?.GetIndexParameters() ?? [];
        foreach (var parameter in parameters)
            if (IsEmpty(Named(text, "param", parameter.Name))) yield return $"{id}: param {parameter.Name}";
        foreach (var parameter in Generic(member))
            if (IsEmpty(Named(text, "typeparam", parameter.Name))) yield return $"{id}: typeparam {parameter.Name}";
        var returns = method is MethodInfo { ReturnType: var result } && result != typeof(void)
            && result != typeof(Task)
            || member is PropertyInfo && parameters.Length > 0;
        if (returns && IsEmpty(text.Element("returns"))) yield return $"{id}: returns";
    }

    private static XElement? Named(XElement text, string tag, string? name) =>
        text.Elements(tag).FirstOrDefault(part => part.Attribute("name")?.Value == name);

    // Of a type those that a type around it does not have.
    private static IEnumerable<Type> Generic(MemberInfo member) => member switch
    {
        Type { IsGenericType: true } type when !IsGroup(type) =>
            type.GetGenericArguments().Skip(type.DeclaringType?.GetGenericArguments().Length ?? 0),
        MethodInfo { IsGenericMethod: true } method => method.GetGenericArguments(),
        _ => [],
    };

    private static bool Inherits(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetBaseDefinition() != method || Implements(method),
        PropertyInfo property => property.GetAccessors(nonPublic: true)
            .Any(method => method.GetBaseDefinition() != method || Implements(method)),
        ConstructorInfo or Type => true,
        _ => false,
    };

    private static bool Implements(MethodInfo method) => method.DeclaringType is { IsInterface: false } type
        && type.GetInterfaces().Any(one => one.GetMethods(Declared).Any(other => other.Name == method.Name));

    private static bool IsEmpty(XElement? text)
    {
        if (text is null) return true;
        var words = string.Concat(text.DescendantNodes().Select(node => node switch
        {
            XText plain => plain.Value,
            XElement { HasAttributes: true, FirstNode: null } reference => Last(reference.FirstAttribute!.Value),
            _ => "",
        })).Trim().TrimEnd('.');
        return Word().Count(words) < FewestWords || Empty.Contains(words.ToLowerInvariant());
    }

    private static string Last(string reference) => reference[(reference.LastIndexOf('.') + 1)..];

    private static Dictionary<string, XElement> Texts(Assembly assembly) =>
        XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value);

    // Extension members are declared in nested types named <G>$…, each with a type <M>$… for what they extend.
    private static bool IsGroup(Type type) => type.Name.StartsWith("<G>$", StringComparison.Ordinal);

    private static bool IsMarker(Type type) => type.Name.StartsWith("<M>$", StringComparison.Ordinal);

    private static bool IsDelegate(Type type) => type.BaseType == typeof(MulticastDelegate);

    // The name by which the XML file has a member (C# specification, annex D.4.2).
    private static string Id(MemberInfo member) => member switch
    {
        Type type => "T:" + Name(type),
        FieldInfo field => $"F:{Name(field.DeclaringType!)}.{field.Name}",
        PropertyInfo property =>
            $"P:{Name(property.DeclaringType!)}.{property.Name}{Arguments(property.GetIndexParameters())}",
        MethodBase method => $"M:{Name(method.DeclaringType!)}.{method.Name.Replace('.', '#')}"
            + (method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "")
            + Arguments(method.GetParameters())
            + (method.Name is "op_Implicit" or "op_Explicit" ? $"~{Reference(((MethodInfo)method).ReturnType)}" : ""),
        _ => throw new ArgumentException($"{member.MemberType} has no name in the XML file"),
    };

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Arguments(ParameterInfo[] parameters) => parameters.Length == 0
        ? ""
        : $"({string.Join(',', parameters.Select(parameter => Reference(parameter.ParameterType)))})";

    private static string Reference(Type type)
    {
        if (type.IsByRef) return Reference(type.GetElementType()!) + "@";
        if (type.IsPointer) return Reference(type.GetElementType()!) + "*";
        if (type.IsArray)
            return Reference(type.GetElementType()!)
                + (type.GetArrayRank() == 1
                    ? "[]"
                    : $"[{string.Join(',', Enumerable.Repeat("0:", type.GetArrayRank()))}]");
        if (type.IsGenericMethodParameter) return $"``{type.GenericParameterPosition}";
        if (type.IsGenericTypeParameter) return $"`{type.GenericParameterPosition}";
        if (!type.IsGenericType) return Name(type);
        var arguments = type.GetGenericArguments();
        var text = Name(type.GetGenericTypeDefinition());
        // Each type of a nest takes its own: A`1.B`2 of three.
        var taken = 0;
        return Arity().Replace(text, arity =>
        {
            var own = int.Parse(arity.Groups[1].Value);
            var names = arguments.Skip(taken).Take(own).Select(Reference);
            taken += own;
            return $"{{{string.Join(',', names)}}}";
        });
    }

    [GeneratedRegex(@"\S+")]
    private static partial Regex Word();

    [GeneratedRegex(@"`(\d+)")]
    private static partial Regex Arity();
}
