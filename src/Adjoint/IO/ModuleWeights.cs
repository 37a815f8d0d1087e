using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint;

/// <summary>Weights out of files, into modules that were built before.</summary>
public static class ModuleWeights
{
    extension(Module model)
    {
        /// <summary>
        /// Loads the parameters and buffers from a file of tensors, and says which; all or nothing: what is refused
        /// changes no bit. Only the tensors that the model has are read.
        /// </summary>
        /// <param name="path">The path of a file or folder that <see cref="TensorFile.Open"/> takes.</param>
        /// <param name="options">What need not fit, and what is renamed or converted; null: strict.</param>
        /// <returns>What was loaded, and what was not.</returns>
        /// <exception cref="AdjointException">
        /// A name, shape or type differs and the options do not allow it; nothing fits; the paths of one parameter have
        /// different values; values cannot be converted exactly; or two names are renamed to one.
        /// </exception>
        /// <exception cref="Data.DataFormatException">The file is of another format, or damaged.</exception>
        /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
        public LoadReport LoadWeights(string path, LoadOptions? options = null)
        {
            using var file = TensorFile.Open(path);
            options ??= new();
            return StateLoading.Run(model, path, options, [.. file.Entries.Select(entry => new StateOffer(
                entry.Name, entry.Sizes, entry.DType, entry.ConvertsTo, entry.Type,
                () => file.Load(entry.Name, options.ConvertTypes)))]);
        }
    }

    extension(NameMap)
    {
        /// <summary>
        /// Reads a table of names from a JSON file: an object whose names are old names or patterns, and whose values
        /// are the new ones, such as <c>{"module.**": "**"}</c>.
        /// </summary>
        /// <param name="path">The path of the file.</param>
        /// <returns>A map of these rules, in the file's order.</returns>
        /// <exception cref="Data.DataFormatException">It is not such a file.</exception>
        /// <exception cref="AdjointException">A rule is refused by <see cref="NameMap.Add"/>.</exception>
        /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
        public static NameMap Read(string path) => new NameMap().AddTable(path);
    }

    extension(NameMap map)
    {
        /// <summary>Adds the rules of a table of names, a JSON file, after those that there are.</summary>
        /// <param name="path">The path of the file, as <c>NameMap.Read</c> takes it.</param>
        /// <returns>The map itself, for chaining.</returns>
        /// <exception cref="Data.DataFormatException">It is not such a file.</exception>
        /// <exception cref="AdjointException">A rule is refused by <see cref="NameMap.Add"/>.</exception>
        /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
        public NameMap AddTable(string path)
        {
            var rules = JsonFile.Read(path, "an object of old names and new ones: {\"OLD\": \"NEW\"}", json =>
                json.EnumerateObject().Select(rule => (rule.Name, New: rule.Value.GetString()
                    ?? throw new FormatException($"'{rule.Name}' has no new name"))).ToArray());
            try
            {
                foreach (var (old, next) in rules) map.Add(old, next);
            }
            catch (AdjointException error)
            {
                throw new AdjointException($"{path}: {error.Message}", error);
            }
            return map;
        }
    }
}
