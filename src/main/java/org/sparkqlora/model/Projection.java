package org.sparkqlora.model;

/** The seven linear modules of a decoder layer, in the order in which their adapters lie in the flat vector. */
enum Projection {
    QUERY("self_attn.q_proj"),
    KEY("self_attn.k_proj"),
    VALUE("self_attn.v_proj"),
    OUTPUT("self_attn.o_proj"),
    GATE("mlp.gate_proj"),
    UP("mlp.up_proj"),
    DOWN("mlp.down_proj");

    private final String moduleName;

    Projection(String moduleName) {
        this.moduleName = moduleName;
    }

    /** The module's path in layer {@code layer}, as Hugging Face names it. */
    String path(int layer) {
        return "model.layers.%d.%s".formatted(layer, moduleName);
    }
}
