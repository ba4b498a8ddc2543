package org.sparkqlora.cli;

/**
 * A conversation of one question.
 *
 * @param question of the user
 * @param answer of the assistant
 */
record DemoTurn(String question, String answer) {}
