package org.sparkqlora.model.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.weights.family.ModelConfig;

/** The ranges of the trained tensors in the flat vector, in a fixed order without gaps. */
public final class ParameterIndex {
    private final Map<String, Parameter> byName = new LinkedHashMap<>();
    private final Map<String, Parameter> aliases;
    private final long size;

    private ParameterIndex(List<Parameter> parameters, Map<String, Parameter> aliases) {
        parameters.forEach(parameter -> byName.put(parameter.name(), parameter));
        this.aliases = Collections.unmodifiableMap(new LinkedHashMap<>(aliases));
        this.size = parameters.stream().mapToLong(Parameter::size).sum();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The trained parameters of a model, known before its weights are loaded. */
    public static ParameterIndex of(ModelConfig config, ModelSpec spec) {
        return new ModelLayout(config, spec).index();
    }

    /** All parameters, in the order of the flat vector. */
    public List<Parameter> all() {
        return List.copyOf(byName.values());
    }

    /** Parameters by further names: a tied matrix is stored under each of its two. */
    public Map<String, Parameter> aliases() {
        return aliases;
    }

    /** The parameter of a name or a further name. */
    public Parameter find(String name) {
        Parameter parameter = byName.getOrDefault(name, aliases.get(name));
        if (parameter == null) {
            throw new BadInputException("Cannot find trained tensor %s among %d".formatted(name, byName.size()));
        }

        return parameter;
    }

    public boolean has(String name) {
        return byName.containsKey(name) || aliases.containsKey(name);
    }

    /** Length of the flat vector. */
    public long size() {
        return size;
    }

    /** Lays parameters out one after the other. */
    public static final class Builder {
        private final List<Parameter> parameters = new ArrayList<>();
        private final Map<String, Parameter> aliases = new LinkedHashMap<>();
        private long next;

        /** Appends a tensor and returns its place. */
        public Parameter add(String name, long... shape) {
            Parameter parameter = new Parameter(name, next, shape);
            parameters.add(parameter);
            next = Math.addExact(next, parameter.size());
            return parameter;
        }

        /** Gives a tensor a further name, and returns its place. */
        public Parameter alias(String name, Parameter parameter) {
            aliases.put(name, parameter);
            return parameter;
        }

        public ParameterIndex build() {
            return new ParameterIndex(parameters, aliases);
        }
    }
}
