package org.sparkqlora.weights.family;

/** The matrices of an expert, and the names of what a layer has beside them. */
public enum ExpertMatrix {
    GATE("gate_proj"),
    UP("up_proj"),
    DOWN("down_proj");

    private final String moduleName;

    ExpertMatrix(String moduleName) {
        this.moduleName = moduleName;
    }

    /** The module's path, as checkpoints on the hub have it. */
    public String path(int layer, int expert) {
        return experts(layer) + "." + expert + "." + moduleName; // of each of some 40,000 matrices: no format string
    }

    /** Name of its weight, (outputs, inputs). */
    public String weight(int layer, int expert) {
        return path(layer, expert) + ".weight";
    }

    public ProjectionShape shape(ModelConfig config) {
        int width = config.mixture().width();
        return this == DOWN
                ? new ProjectionShape(config.hiddenSize(), width)
                : new ProjectionShape(width, config.hiddenSize());
    }

    /** The path of a layer's experts. */
    public static String experts(int layer) {
        return "model.layers." + layer + ".mlp.experts";
    }

    /** The path of a layer's router. */
    public static String router(ModelConfig config, int layer) {
        return "model.layers." + layer + "." + config.mixture().modules().router();
    }
}
