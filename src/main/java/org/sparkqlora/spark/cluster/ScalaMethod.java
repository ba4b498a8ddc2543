package org.sparkqlora.spark.cluster;

import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Calls a method of Spark to which later lines add parameters with defaults. Scala's compiler fills those in at the call; from Java they
 * are filled in here, so that one jar runs on all lines.
 */
public final class ScalaMethod {
    private ScalaMethod() {}

    /**
     * Calls the one method of that name.
     *
     * @param arguments in the order of the parameters; a parameter that the next argument does not fit takes its default
     * @throws Exception what the method throws
     */
    public static Object call(Object target, String name, Object... arguments) throws Exception {
        Method method = only(target.getClass(), name);
        Class<?>[] types = MethodType.methodType(void.class, method.getParameterTypes())
                .wrap()
                .parameterArray();
        Object[] values = new Object[types.length];
        int used = 0;
        for (int i = 0; i < types.length; i++) {
            boolean fits = used < arguments.length && types[i].isInstance(arguments[used]);
            values[i] = fits ? arguments[used++] : defaultOf(target, method, i);
        }

        if (used < arguments.length) {
            throw new NoSuchMethodException("%s with %s: found %s".formatted(name, Arrays.toString(arguments), method));
        }

        return invoke(method, target, values);
    }

    private static Method only(Class<?> owner, String name) throws NoSuchMethodException {
        List<Method> found = Arrays.stream(owner.getMethods())
                .filter(method -> method.getName().equals(name) && !method.isSynthetic())
                .toList();
        if (found.size() != 1) {
            throw new NoSuchMethodException("%s of %s: found %s".formatted(name, owner.getName(), found));
        }

        return found.get(0);
    }

    /** Scala compiles the default of the n-th parameter to a method of its own. */
    private static Object defaultOf(Object target, Method method, int parameter) throws Exception {
        String name = String.format(Locale.ROOT, "%s$default$%d", method.getName(), parameter + 1);
        return invoke(only(target.getClass(), name), target);
    }

    private static Object invoke(Method method, Object target, Object... values) throws Exception {
        try {
            return method.invoke(target, values);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
