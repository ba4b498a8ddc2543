package org.sparkqlora.weights.family;

/** The biases of all experts of a layer, (experts, width), of families that have some. */
public enum ExpertBias {
    /** Of gate and up, which alternate. */
    GATE_UP("gate_up_proj_bias"),
    DOWN("down_proj_bias");

    private final String parameter;

    ExpertBias(String parameter) {
        this.parameter = parameter;
    }

    /** The parameter's name. */
    public String path(int layer) {
        return ExpertMatrix.experts(layer) + "." + parameter;
    }

    public long width(ModelConfig config) {
        return this == DOWN ? config.hiddenSize() : 2L * config.mixture().width();
    }
}
