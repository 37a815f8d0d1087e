using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint;

/// <summary>Saves modules of any type as model files.</summary>
public static class ModelSaving
{
    extension(Module model)
    {
        /// <summary>
        /// Saves the model as one file, whole or not at all: types of modules and their settings, parameters, buffers,
        /// and what it is for. <see cref="ModelFile.Read(string)"/> makes it again.
        /// </summary>
        /// <param name="path">The path of the file, such as <c>model.safetensors</c>; replaced if it exists.</param>
        /// <param name="info">What the model is for; null: nothing is said.</param>
        /// <exception cref="AdjointException">
        /// A module is of a type that is not registered (<see cref="ModuleRegistry"/>), or its description does not
        /// make it again.
        /// </exception>
        /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
        public void Save(string path, ModelInfo? info = null) =>
            ModelFile.Write(path, model, model.StateDict(), info ?? new());
    }
}
