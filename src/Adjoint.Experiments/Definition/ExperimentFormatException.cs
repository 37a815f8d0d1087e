using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>An experiment file is not what it should be: names file, line and column.</summary>
/// <param name="place">File, line and column of the mistake.</param>
/// <param name="problem">What is wrong there, and what would be right.</param>
public sealed class ExperimentFormatException(string place, string problem)
    : AdjointException($"{place}: {DataFormatException.Abbreviate(problem)}");
