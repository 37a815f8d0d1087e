namespace Adjoint.Nn;

/// <summary>A module that can say what it was made with; implement <see cref="ISavableModule{TSelf}"/>.</summary>
public interface ISavableModule
{
    /// <summary>
    /// Writes what the constructor needs to make the module again: numbers, truth values, texts, and the modules that
    /// it was given. Not its tensors, which are saved by path, and not what the constructor makes by itself.
    /// </summary>
    /// <param name="settings">Where to write, with <c>Set</c>.</param>
    void Describe(ModuleSettings settings) { }
}

/// <summary>
/// A module that can be saved in a model file and made again from it, without reflection. Every module of the library
/// is one; one of your own becomes one by two methods and a registration:
/// <code>
/// sealed class Cell(int inputs, int width) : Module, ISavableModule&lt;Cell&gt;
/// {
///     public static Cell Create(ModuleSettings settings) =>
///         new(settings.Integer("inputs"), settings.Integer("width"));
///
///     public void Describe(ModuleSettings settings)
///     {
///         settings.Set("inputs", inputs);
///         settings.Set("width", width);
///     }
/// }
/// …
/// ModuleRegistry.Register&lt;Cell&gt;();   // once, where the program starts
/// </code>
/// </summary>
/// <typeparam name="TSelf">The module itself.</typeparam>
public interface ISavableModule<TSelf> : ISavableModule where TSelf : Module, ISavableModule<TSelf>
{
    /// <summary>
    /// The name of the type in files, by default that of the class. Override it before renaming a class whose models
    /// were saved.
    /// </summary>
    static virtual string TypeName => typeof(TSelf).Name;

    /// <summary>
    /// Makes a module from what <see cref="ISavableModule.Describe"/> wrote. Its parameters and buffers are loaded
    /// afterwards, so the initial values do not matter, and the layers of the library do not draw any meanwhile.
    /// </summary>
    /// <param name="settings">What was written. Each of them must be read.</param>
    /// <returns>The module, with the same children, and parameters and buffers of the same shapes.</returns>
    /// <exception cref="AdjointException">A setting is missing or outside of its range.</exception>
    static abstract TSelf Create(ModuleSettings settings);
}
