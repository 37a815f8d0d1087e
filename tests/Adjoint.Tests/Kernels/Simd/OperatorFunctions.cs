using System.Reflection;
using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>A function that a operator struct holds, of any number of inputs and results.</summary>
internal interface ILaneFunction
{
    IReadOnlyList<string> Inputs { get; }

    V[] Invoke<V>(V[] inputs) where V : struct, ILanes<V>;
}

/// <summary>
/// The functions of every operator struct of the library, and those that these are composed of, found by reflection.
/// </summary>
internal static class OperatorFunctions
{
    private const BindingFlags Fields = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    // Each function that an operator interface asks for.
    private static readonly (Type Interface, Type Function)[] Kinds =
    [
        (typeof(IUnaryOperator), typeof(Unary<>)), (typeof(IBinaryOperator), typeof(Binary<>)),
        (typeof(ITernaryOperator), typeof(Ternary<>)), (typeof(IReductionOperator), typeof(Transform<>)),
        (typeof(IReductionOperator), typeof(Combine<>)), (typeof(IUpdateRule), typeof(Update<>)),
    ];

    /// <summary>By name. Those whose struct holds truth values are there for each, numbered.</summary>
    internal static IReadOnlyDictionary<string, ILaneFunction> OfStructs { get; } = Of(ElementKinds.Floating);

    /// <summary>Those that whole numbers have, by name.</summary>
    internal static IReadOnlyDictionary<string, ILaneFunction> OfIntegers { get; } = Of(ElementKinds.Integers);

    private static Dictionary<string, ILaneFunction> Of(ElementKinds elements) => (
        from assembly in new[] { typeof(LaneMath).Assembly, typeof(Op).Assembly }
        from open in assembly.GetTypes()
        where open.IsValueType
        from kind in Kinds
        where kind.Interface.IsAssignableFrom(open)
        let type = Close(open)
        where (KindsOf(type) & elements) != 0
        from op in Instances(type).Select((op, i) => (Value: op, Suffix: i == 0 ? "" : $" {i}"))
        select (Name: $"{NameOf(type)}, {kind.Function.Name.Split('`')[0].ToLowerInvariant()}{op.Suffix}",
            Function: (ILaneFunction)Activator.CreateInstance(kind.Function.MakeGenericType(type), op.Value)!))
        .ToDictionary(one => one.Name, one => one.Function);

    /// <summary>By name; a power of a number once for each way that it is computed.</summary>
    internal static IReadOnlyDictionary<string, ILaneFunction> OfMaths { get; } = (
        from type in new[] { typeof(LaneMath), typeof(LanePower) }
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let isOfNumber = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(double))
        from number in isOfNumber ? [0, 1, 2, -1, 0.5, -0.5, 13, -6, 2.5] : (double[])[0]
        select (Name: $"{type.Name}.{method.Name}{(isOfNumber ? $" {number}" : "")}",
            Function: (ILaneFunction)new Method(method, number)))
        .ToDictionary(one => one.Name, one => one.Function);

    private static ElementKinds KindsOf(Type op) =>
        op.GetProperty(nameof(IOperator.Kinds))?.GetValue(null) is ElementKinds kinds ? kinds : ElementKinds.Floating;

    // A sample in place of each parameter: an operator with a long formula, so that it cannot be mistaken for nothing.
    private static Type Close(Type open) => !open.IsGenericTypeDefinition ? open : open.MakeGenericType(
        [.. open.GetGenericArguments().Select(parameter => Sample(parameter.GetGenericParameterConstraints()))]);

    private static Type Sample(Type[] constraints) =>
        constraints.Contains(typeof(IUnaryOperator)) ? typeof(GeluOp.Operator)
        : constraints.Contains(typeof(IBinaryOperator)) ? typeof(SiluOp.Vjp)
        : constraints.Contains(typeof(IReductionOperator)) ? typeof(SumOperator)

            : constraints.Any(one => one.Name == typeof(ITile<>).Name)
            ? typeof(Tile<MicroKernel6x2, Scalar<double>, double>)
        : typeof(double);

    // Numbers of their own in every field.
    private static List<object> Instances(Type type)
    {
        List<object> all = [RuntimeHelpers.GetUninitializedObject(type)];
        foreach (var (field, i) in type.GetFields(Fields).Select((field, i) => (field, i)))
        {
            IEnumerable<object> values = field.FieldType == typeof(double) ? [0.3 + 0.17 * i]
                : field.FieldType == typeof(bool) ? [false, true]
                : field.FieldType.IsValueType && !field.FieldType.IsPrimitive ? Instances(field.FieldType)
                : throw new NotSupportedException(
                    $"{type}: a field of type {field.FieldType} is no parameter of a formula");
            all = [.. all.SelectMany(op => values.Select(value => With(op, field, value)))];
        }
        return all;
    }

    private static object With(object op, FieldInfo field, object value)
    {
        var copy = RuntimeHelpers.GetUninitializedObject(op.GetType());
        foreach (var other in op.GetType().GetFields(Fields)) other.SetValue(copy, other.GetValue(op));
        field.SetValue(copy, value);
        return copy;
    }

    private static string NameOf(Type type) =>
        (type.DeclaringType is { } outer ? $"{NameOf(outer)}." : "") + type.Name.Split('`')[0];

    private sealed class Method(MethodInfo method, double number) : ILaneFunction
    {
        private readonly ParameterInfo[] parameters = method.GetParameters();

        public IReadOnlyList<string> Inputs =>
            [.. parameters.Where(one => one.ParameterType != typeof(double)).Select(one => one.Name!)];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V>
        {
            var next = 0;
            var arguments = Array.ConvertAll(
                parameters, one => one.ParameterType == typeof(double) ? number : (object)x[next++]);
            return [(V)method.MakeGenericMethod(typeof(V)).Invoke(null, arguments)!];
        }
    }

    private sealed class Unary<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, IUnaryOperator
    {
        public IReadOnlyList<string> Inputs => ["x"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V> => [op.Invoke(x[0])];
    }

    private sealed class Binary<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, IBinaryOperator
    {
        public IReadOnlyList<string> Inputs => ["x", "y"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V> => [op.Invoke(x[0], x[1])];
    }

    private sealed class Ternary<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, ITernaryOperator
    {
        public IReadOnlyList<string> Inputs => ["x", "y", "z"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V> => [op.Invoke(x[0], x[1], x[2])];
    }

    private sealed class Transform<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, IReductionOperator
    {
        public IReadOnlyList<string> Inputs => ["x"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V> => [op.Transform(x[0])];
    }

    private sealed class Combine<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, IReductionOperator
    {
        public IReadOnlyList<string> Inputs => ["a", "x"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V> => [op.Combine(x[0], x[1])];
    }

    private sealed class Update<TOperator>(TOperator op) : ILaneFunction where TOperator : struct, IUpdateRule
    {
        public IReadOnlyList<string> Inputs => ["w", "g", "s", "t"];

        public V[] Invoke<V>(V[] x) where V : struct, ILanes<V>
        {
            var (w, s, t) = (x[0], x[2], x[3]);
            op.Invoke(ref w, x[1], ref s, ref t);
            return [w, s, t];
        }
    }
}
