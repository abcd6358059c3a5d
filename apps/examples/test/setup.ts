// The app's own parts need no backend.
export {};
