package org.sparkqlora.weights.family;

/** A family's names and storage of the experts of a layer and their router. */
public enum ExpertModules {
    /** Each expert's matrices are modules, and so is the router. */
    SEPARATE("mlp.gate"),
    /**
     * Matrices of all experts are one parameter, rows of which are inputs; columns of gate and up alternate. They and the router have biases.
     */
    INTERLEAVED("mlp.router");

    private final String router;

    ExpertModules(String router) {
        this.router = router;
    }

    /** The router's path within its layer. */
    String router() {
        return router;
    }

    /** Whether experts and router have biases. */
    public boolean isBiased() {
        return this == INTERLEAVED;
    }

    /** Whether gate and up of an expert alternate, by outputs, where they are one parameter. */
    public boolean alternates() {
        return this == INTERLEAVED;
    }
}
