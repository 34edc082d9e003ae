/** An operator's command that cannot be carried out; its message is for the operator. */
export class AdministrationError extends Error {}
