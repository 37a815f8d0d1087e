using System.Text.Json;
using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>
/// A module as data: type names, settings and children, from which it is made again. A module that stands in several
/// places is described in the first of them, and referred to by its path in the others. What is read is untrusted.
/// </summary>
internal static class Architecture
{
    /// <summary>The deepest nesting of modules.</summary>
    internal const int MaxDepth = 64;

    // Paths, so that parts that are shared at every level of nesting cannot multiply without end.
    private const int MaxModules = 100_000;

    // Of a model whose tensors are small, or computed by constructors.
    private const long LeastBudget = 16 << 20;

    // Constructors compute in float32 what is saved in half of it, and need more for a moment.
    private const int BytesPerByte = 8;

    /// <summary>Writes a module as a JSON object.</summary>
    /// <exception cref="AdjointException">
    /// A type is not registered, describes what it has not, or is nested too deep.
    /// </exception>
    internal static void Write(Utf8JsonWriter json, Module module) => Write(json, module, "", 1, []);

    /// <summary>Makes a module from what <see cref="Write(Utf8JsonWriter, Module)"/> wrote.</summary>
    /// <param name="json">The JSON object.</param>
    /// <param name="bytes">The length of the file: memory beyond a multiple of it is refused.</param>
    /// <exception cref="AdjointException">It describes no module, or one that the file has no tensors for.</exception>
    internal static Module Read(JsonElement json, long bytes) => Restore(bytes, () => new Reader().Read(json, "", 1));

    /// <summary>Makes a module whose values are loaded afterwards: none are drawn.</summary>
    /// <param name="bytes">The length of the file: memory beyond a multiple of it is refused.</param>
    /// <param name="create">Makes the module.</param>
    /// <exception cref="AdjointException">The file has no tensors for so large a module.</exception>
    internal static T Restore<T>(long bytes, Func<T> create) where T : Module
    {
        var execution = Execution.Current;
        Arena.RefuseWithin("a model is loaded inside, which a replay would not do; load it outside");
        var before = execution.Budget;
        execution.Budget = new(LeastBudget + BytesPerByte * bytes);
        try
        {
            return create();
        }
        finally
        {
            execution.Budget = before;
        }
    }

    private static void Write(
        Utf8JsonWriter json, Module module, string path, int depth, Dictionary<Module, string> written)
    {
        if (written.TryGetValue(module, out var first))
        {
            json.WriteStartObject();
            json.WriteString("shared", first);
            json.WriteEndObject();
            return;
        }
        if (depth > MaxDepth)
            throw new AdjointException($"{Place(path)}: modules can be nested {MaxDepth} deep in a model file");
        var entry = ModuleRegistry.Of(module.GetType())
            ?? throw new AdjointException(
                $"{Place(path)}: a {module.TypeName} has no description to save: implement "
                + $"ISavableModule<{module.TypeName}> and call ModuleRegistry.Register<{module.TypeName}>()");
        var settings = new ModuleSettings(entry.Name);
        ((ISavableModule)module).Describe(settings);
        written.Add(module, path);
        json.WriteStartObject();
        json.WriteString("type", entry.Name);
        if (!settings.IsEmpty)
        {
            json.WritePropertyName("settings");
            settings.Write(json);
        }
        if (settings.Given.Any())
        {
            json.WriteStartObject("modules");
            foreach (var (name, child) in settings.Given)
            {
                RequireChild(module, name, child, path);
                json.WritePropertyName(name);
                Write(json, child, Join(path, name), depth + 1, written);
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
        Note(module, path);

        // What the constructor makes by itself can stand elsewhere, too.
        void Note(Module part, string at)
        {
            foreach (var (name, child) in part.Children)
                if (written.TryAdd(child, Join(at, name))) Note(child, Join(at, name));
        }
    }

    private static void RequireChild(Module module, string name, Module child, string path)
    {
        if (module.Children.All(one => one.Name != name || one.Value != child))
            throw new AdjointException(
                $"{Place(path)}: {module.TypeName} describes a module '{name}' that is no child of that name; give it "
                + "to AddChild by the same name");
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Place(string path) => path.Length == 0 ? "the model itself" : $"module {path}";

    private sealed class Reader
    {
        private readonly Dictionary<string, Module> made = [];
        private readonly Dictionary<Module, int> counts = [];

        internal Module Read(JsonElement json, string path, int depth)
        {
            if (depth > MaxDepth)
                throw new AdjointException($"{Place(path)}: modules can be nested {MaxDepth} deep");
            string? type = null;
            JsonElement settings = default, modules = default;
            foreach (var member in json.EnumerateObject())
                switch (member.Name)
                {
                    case "shared": return Shared(member.Value.GetString()!, path);
                    case "type": type = member.Value.GetString(); break;
                    case "settings": settings = member.Value; break;
                    case "modules": modules = member.Value; break;
                    default: throw new AdjointException($"{Place(path)}: '{Short(member.Name)}' is not known here");
                }
            if (type is null) throw new AdjointException($"{Place(path)}: its type is missing");
            var entry = ModuleRegistry.Named(type)
                ?? throw new AdjointException(
                    $"{Place(path)}: type '{Short(type)}' is not known; if it is a module of your own, call "
                    + "ModuleRegistry.Register<…>() with its class before you load");
            var given = new ModuleSettings(entry.Name);
            if (settings.ValueKind != JsonValueKind.Undefined) given.Read(settings);
            var count = 1L;
            if (modules.ValueKind != JsonValueKind.Undefined)
                foreach (var member in modules.EnumerateObject())
                {
                    var child = Read(member.Value, Join(path, member.Name), depth + 1);
                    // Before anybody walks through it.
                    if ((count += counts[child]) > MaxModules)
                        throw new AdjointException($"{Place(path)}: a model can have {MaxModules} modules");
                    given.Set(member.Name, child);
                }
            var module = Create(entry, given, path);
            made.Add(path, module);
            Count(module);
            return module;
        }

        private static Module Create(ModuleRegistry.Entry entry, ModuleSettings settings, string path)
        {
            Module module;
            try
            {
                module = entry.Create(settings);
            }
            catch (AdjointException error)
            {
                throw new AdjointException($"{Place(path)} ({entry.Name}): {error.Message}");
            }
            if (settings.Unread.FirstOrDefault() is { } unread)
                throw new AdjointException(
                    $"{Place(path)}: {entry.Name} has no setting '{Short(unread)}' here; a later version may have "
                    + "written it");
            foreach (var (name, child) in settings.Given) RequireChild(module, name, child, path);
            return module;
        }

        private Module Shared(string first, string path)
        {
            var names = first.Split('.');
            for (var length = names.Length; length > 0; length--)
                if (made.TryGetValue(string.Join('.', names[..length]), out var module))
                {
                    var part = names[length..].Aggregate(
                        (Module?)module, (at, name) => at?.Children.FirstOrDefault(one => one.Name == name).Value);
                    if (part is not null) return part;
                    break;
                }
            throw new AdjointException($"{Place(path)}: there is no module '{Short(first)}' before it to share");
        }

        private int Count(Module module)
        {
            if (counts.TryGetValue(module, out var known)) return known;
            var sum = module.Children.Sum(child => (long)Count(child.Value)) + 1;
            return counts[module] = (int)Math.Min(sum, MaxModules + 1);
        }

        private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";
    }
}
